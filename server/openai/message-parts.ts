import type { ChatMessage, ImagePart } from '../core/chat';
import { AppError } from '../core/errors';

/** Only inline images: a link would make Ivy fetch what a client names. */
export function fromImage(url: string, param: string): ImagePart {
  const match = /^data:(image\/(?:jpeg|png|webp|gif));base64,([A-Za-z0-9+/=\s]+)$/.exec(url);
  if (!match?.[1] || !match[2]) {
    throw new AppError(
      'unsupported_value',
      `${param}: must be a data: URL with a base64 JPEG, PNG, WebP or GIF image`,
      { param },
    );
  }
  return { type: 'image', mediaType: match[1] as ImagePart['mediaType'], data: match[2].replace(/\s/g, '') };
}

/** No-argument calls come as an empty string. */
export function checkArguments(text: string, param: string): string {
  if (text.trim() === '') return '{}';
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return text;
  } catch {}
  throw new AppError('invalid_request', `${param}: must be a JSON object as text`, { param });
}

/** Providers answer unmatched ids with errors that nobody understands. */
export function checkToolResults(messages: readonly ChatMessage[], pathOf: (index: number) => string): void {
  const called = new Set<string>();
  for (const [index, message] of messages.entries()) {
    if (message.role === 'assistant') for (const call of message.toolCalls) called.add(call.id);
    if (message.role !== 'tool' || called.has(message.toolCallId)) continue;
    const param = pathOf(index);
    throw new AppError('invalid_request', `${param}: no earlier assistant message made this call`, { param });
  }
}

/** A choice among tools that are not there would be followed by nobody. `wanted` are the names it gives. */
export function checkToolChoice(
  choice: 'none' | 'auto' | 'required' | 'named' | undefined,
  wanted: readonly string[],
  offered: readonly string[],
): void {
  if (choice === undefined || choice === 'none' || choice === 'auto') return;
  const missing = wanted.find((name) => !offered.includes(name));
  if (offered.length > 0 && missing === undefined) return;
  const problem = missing === undefined ? 'needs tools to choose from' : `there is no tool named ${missing}`;
  throw new AppError('invalid_request', `tool_choice: ${problem}.`, { param: 'tool_choice' });
}

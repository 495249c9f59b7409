import type { Message } from 'ollama/browser';
import type { ChatMessage } from '../core/chat';
import { textOf } from '../core/chat';

/**
 * The conversation as Ollama takes it, with at most one system message, which is the first: many chat templates drop
 * any other one silently, or refuse it (docs/decisions/0014).
 */
export function toOllamaMessages(messages: readonly ChatMessage[]): Message[] {
  const system = messages.filter(({ role }) => role === 'system').map(textOf);
  const rest = toMessages(messages.filter(({ role }) => role !== 'system'));
  return system.length > 0 ? [{ role: 'system', content: system.join('\n\n') }, ...rest] : rest;
}

function toMessages(messages: readonly ChatMessage[]): Message[] {
  const toolNames = new Map<string, string>();
  return messages.map((message): Message => {
    switch (message.role) {
      case 'system':
        return { role: 'system', content: message.text };
      case 'user': {
        const images = message.content.filter((part) => part.type === 'image').map((part) => part.data);
        return { role: 'user', content: textOf(message), ...(images.length > 0 && { images }) };
      }
      case 'assistant':
        for (const call of message.toolCalls) toolNames.set(call.id, call.name);
        return {
          role: 'assistant',
          content: message.text,
          ...(message.toolCalls.length > 0 && {
            tool_calls: message.toolCalls.map((call) => ({
              id: call.id,
              function: { name: call.name, arguments: JSON.parse(call.argumentsJson) },
            })),
          }),
        };
      case 'tool':
        return {
          role: 'tool',
          content: message.text,
          tool_name: toolNames.get(message.toolCallId) ?? '',
          // The package's type lacks it.
          tool_call_id: message.toolCallId,
        } as Message;
      default:
        return message satisfies never;
    }
  });
}

/**
 * The same with the system text in the last user message, for templates that know no system role. Undefined when there
 * is nothing to change.
 */
export function withoutSystem(messages: readonly Message[]): Message[] | undefined {
  const [first, ...rest] = messages;
  const at = rest.findLastIndex(({ role }) => role === 'user');
  const last = rest[at];
  if (first?.role !== 'system' || !last) return undefined;
  return rest.with(at, { ...last, content: `${first.content}\n\n${last.content}` });
}

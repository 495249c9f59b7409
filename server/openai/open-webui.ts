import type { ChatMessage } from '../core/chat';
import { textOf } from '../core/chat';

/**
 * Open WebUI sends its chores (titles, tags, follow-ups) to the chat's own model. A connection header
 * says so; without it they are known by the shape of their templates. `### Task:` alone is not
 * enough: its template for attached files begins the same way and carries the real question.
 */
const TASK_OPENINGS = [
  'Generate a concise',
  'Generate 1-3 broad tags',
  'Suggest 3-5 relevant follow-up',
  'Analyze the chat history to determine the necessity of generating search queries',
  'Generate a detailed prompt for am image',
  'You are an autocompletion system',
  'Summarize the conversation history that will be compacted',
];

/** The name of the background task a request is; undefined for a real question. */
export function detectTask(headers: Headers, messages: readonly ChatMessage[], stream: boolean): string | undefined {
  const header = headers.get('x-openwebui-task');
  if (header !== null) return header.trim() || undefined;
  const [only] = messages;
  if (stream || messages.length !== 1 || only?.role !== 'user') return undefined;
  const text = textOf(only);
  if (!text.startsWith('### Task:\n')) return undefined;
  const body = text.slice('### Task:\n'.length).trimStart();
  return TASK_OPENINGS.some((opening) => body.startsWith(opening)) ? 'background' : undefined;
}

/** How many sources Open WebUI itself put into the prompt: its list shows them first, so ours are numbered after them. */
export function ownSources(messages: readonly ChatMessage[]): number {
  let highest = 0;
  for (const message of messages) {
    for (const [, id] of textOf(message).matchAll(/<source id="(\d{1,3})"/g)) highest = Math.max(highest, Number(id));
  }
  return highest;
}

import type { ChatMessage } from '../core/chat';
import { textOf } from '../core/chat';

/**
 * Open WebUI sends its chores (titles, tags, follow-ups) to the chat's own model. A connection header
 * says so; without it they are known by the shape of their templates. `### Task:` alone is not
 * enough: its template for attached files begins the same way and carries the real question.
 */
const TEMPLATES = [
  'Generate a concise',
  'Generate 1-3 broad tags',
  'Suggest 3-5 relevant follow-up',
  'Analyze the chat history to determine the necessity of generating search queries',
  'Generate a detailed prompt for am image',
  'You are an autocompletion system',
  'Summarize the conversation history that will be compacted',
];
/** Chores without that heading; the second may stream. */
const OTHER_TASKS = [
  'Your task is to reflect the speaker',
  'You have been provided with a set of responses from various models',
];
const TASK_SYSTEMS = [
  'Available Tools: [',
  'You are Open WebUI’s private memory reviewer',
  "You are Open WebUI's private memory reviewer",
];

/**
 * Whether Open WebUI asks: by its headers, which only an admin's settings or its own add, or by its HTTP library.
 * `named` is true when the header is there that tells its chores apart.
 */
export function detectOpenWebUi(headers: Headers): { named: boolean } | undefined {
  for (const name of headers.keys()) {
    if (name.startsWith('x-openwebui-')) return { named: headers.has('x-openwebui-task') };
  }
  return headers.get('user-agent')?.includes('aiohttp') ? { named: false } : undefined;
}

/** The name of the background task a request is; undefined for a real question. */
export function detectTask(headers: Headers, messages: readonly ChatMessage[], stream: boolean): string | undefined {
  const header = headers.get('x-openwebui-task');
  if (header !== null) return header.trim() || undefined;
  const [first] = messages;
  if (!first) return undefined;
  const text = textOf(first);
  if (first.role === 'system')
    return TASK_SYSTEMS.some((opening) => text.startsWith(opening)) ? 'background' : undefined;
  if (messages.length !== 1 || first.role !== 'user') return undefined;
  if (OTHER_TASKS.some((opening) => text.startsWith(opening))) return 'background';
  if (stream) return undefined;
  if (!text.startsWith('### Task:\n')) return undefined;
  const body = text.slice('### Task:\n'.length).trimStart();
  return TEMPLATES.some((opening) => body.startsWith(opening)) ? 'background' : undefined;
}

/** How many sources Open WebUI itself put into the prompt: its list shows them first, so ours are numbered after them. */
export function ownSources(messages: readonly ChatMessage[]): number {
  let highest = 0;
  for (const message of messages) {
    for (const [, id] of textOf(message).matchAll(/<source id="(\d{1,3})"/g)) highest = Math.max(highest, Number(id));
  }
  return highest;
}

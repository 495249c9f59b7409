import type { ChatMessage } from '../core/chat';
import { textOf } from '../core/chat';

// Chat clients send their chores (titles, tags, follow-ups, summaries) to the chat's own model. They are known by how
// their prompts begin, verbatim from the clients' sources; anyone may change such a prompt, and then it is a question.

/** Open WebUI's templates, behind `### Task:`. That heading alone is not enough: its template for files carries the real question. */
const OPEN_WEBUI_TASKS = [
  'Generate a concise',
  'Generate 1-3 broad tags',
  'Suggest 3-5 relevant follow-up',
  'Predict 3-5 useful messages',
  'Analyze the chat history to determine the necessity of generating search queries',
  'Generate a detailed prompt for am image',
  'You are an autocompletion system',
  'Summarize the conversation history that will be compacted',
];

/** The only user message, or the last one behind the whole conversation. */
const LAST_MESSAGES = [
  // Open WebUI
  'Your task is to reflect the speaker',
  'You have been provided with a set of responses from various models',
  'Create a concise, 3-5 word title',
  'Create a concise, 3-5 word phrase',
  // LibreChat
  'Provide a concise, 5-word-or-less title for the conversation',
  'Analyze this conversation and provide:\n1. The detected language',
  'Please generate a concise, 5-word-or-less title for the conversation',
  'Please generate a concise title (max 40 characters) for a conversation',
  'Summarize the conversation by integrating new lines into the current summary.',
  'Hold on, before you continue I need you to write me a checkpoint of everything so far.',
  'Hold on again, update your checkpoint.',
  // Jan
  'Summarize in a 10-word Title. Give the title only.',
  // NextChat
  'Please generate a four to five word title summarizing our conversation',
  '使用四到五个字直接返回这句话的简要主题',
  'Summarize the discussion briefly in 200 words or less',
  '简要总结一下对话内容，用作后续的上下文提示',
  // Chatbox
  'Based on the chat history, give this conversation a name.',
  'Name the conversation based on the chat records.',
  // Continue
  'Given the following... please reply with a short summary that is 4-12 words in length',
  // Zed and Roo Code
  'Generate a concise 3-7 word title for this conversation, omitting punctuation.',
  'Your task is to create a detailed summary of the conversation so far',
  'You are compacting this conversation into a handoff for another agent',
  'Summarize the conversation so far, as described in the prompt instructions.',
];

/** The system message that comes first. */
const SYSTEM_MESSAGES = [
  // Open WebUI
  'Available Tools: [',
  "You are Open WebUI's private memory reviewer",
  // LibreChat
  'Please generate a concise, 5-word-or-less title for the conversation',
  'Detect the language used in the following text.',
  'Write a concise title for this conversation in the given language.',
  'Write a short label describing what this block of agent activity accomplished.',
  'Summarize what this phase of an agent run accomplished',
  'Write a short orientation title for a user-visible reasoning step',
  // LobeChat
  'You are a professional conversation summarizer. Generate a concise title',
  '你是一名擅长会话的助理，你需要将用户的会话总结为',
  'You are a conversation-savvy assistant. Summarize the conversation into a title',
  "You're an assistant who's good at extracting key takeaways from conversations and summarizing them.",
  'You are a conversation summarizer. Your task is to create a concise summary of the conversation',
  'Summarize the conversation for future reference.',
  'You are an autocomplete engine for a chat input box.',
  'You are a sidecar that extracts 0-4 quick-reply suggestions',
  'Given the following conversation and a follow-up question, rephrase the follow up question',
  'You are a naming expert skilled at creating names',
  '你是一名擅长起名的起名大师',
  'You are an assistant skilled at summarizing skills.',
  '你是一名擅长技能总结的助理',
  'You are an assistant skilled at extracting conversation tags.',
  '你是一名擅长会话标签总结的助理',
  'You are an emoji expert who selects the most appropriate emoji',
  'You are a language expert proficient in all world languages. Identify the language',
  // Cherry Studio
  'You are an assistant skilled in conversation. You need to summarize',
  'Summarize the conversation into a title in',
  'You are an AI question rephraser.',
  // Chatbox
  'As a professional web researcher who can access latest data, your primary objective is',
  // big-AGI
  'You are an AI conversation titles assistant',
];

/** The name of the chore that a request is; undefined for a question. A header of Open WebUI says so, where it is set up. */
export function detectChore(headers: Headers, messages: readonly ChatMessage[], stream: boolean): string | undefined {
  const header = headers.get('x-openwebui-task');
  if (header !== null) return header.trim() || undefined;
  const [first] = messages;
  const last = messages.at(-1);
  if (!first || !last) return undefined;
  if (first.role === 'system' && begins(first, SYSTEM_MESSAGES)) return 'background';
  if (last.role === 'user' || last.role === 'system') {
    if (begins(last, LAST_MESSAGES)) return 'background';
  }
  // A model's own system prompt may stand before Open WebUI's template.
  const alone = messages.filter(({ role }) => role !== 'system').length === 1;
  if (!alone || last.role !== 'user') return undefined;
  const opening = openingOf(last);
  if (isPageAssistTitle(opening)) return 'background';
  if (stream || !opening.startsWith('### Task:\n')) return undefined;
  const body = opening.slice('### Task:\n'.length).trimStart();
  return OPEN_WEBUI_TASKS.some((task) => body.startsWith(task)) ? 'background' : undefined;
}

/** As much of a message as tells a chore, its typographic apostrophes as ASCII has them. */
const openingOf = (message: ChatMessage): string => textOf(message).slice(0, 2_000).trimStart().replaceAll('’', "'");

const begins = (message: ChatMessage, openings: readonly string[]): boolean => {
  const opening = openingOf(message);
  return openings.some((known) => opening.startsWith(known));
};

/** Page Assist and old Open WebUI put the question first. */
const isPageAssistTitle = (opening: string): boolean =>
  opening.startsWith('Here is the query:\n') && /\nCreate a concise, 3-5 word phrase/.test(opening);

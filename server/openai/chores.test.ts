import { describe, expect, test } from 'vitest';
import { assistantMessage, userMessage } from '../testing/requests';
import { detectChore } from './chores';

const none = new Headers();
const system = (text: string) => ({ role: 'system' as const, text });
const earlier = [userMessage('What is the mass?'), assistantMessage('940 kg [1].')];

describe('a chore of a chat client is known without headers:', () => {
  test.each([
    [
      'Open WebUI, title',
      [userMessage('### Task:\nGenerate a concise title summarizing the chat history.\n### Guidelines:')],
    ],
    [
      'Open WebUI 0.12, follow-ups',
      [userMessage('### Task:\nPredict 3-5 useful messages this user might naturally send next')],
    ],
    [
      'Open WebUI, behind the model’s own system prompt',
      [system('Be brief.'), userMessage('### Task:\nGenerate 1-3 broad tags categorizing')],
    ],
    [
      'Open WebUI, memory',
      [system('You are Open WebUI’s private memory reviewer. Return only valid JSON.'), userMessage('Review')],
    ],
    [
      'LibreChat, title',
      [userMessage('Provide a concise, 5-word-or-less title for the conversation, using title case conventions.')],
    ],
    [
      'LibreChat, older title',
      [system('Please generate a concise, 5-word-or-less title for the conversation, using its same language')],
    ],
    [
      'LibreChat, checkpoint',
      [
        ...earlier,
        userMessage('Hold on, before you continue I need you to write me a checkpoint of everything so far.'),
      ],
    ],
    [
      'LobeChat, title',
      [
        system('You are a professional conversation summarizer. Generate a concise title that captures'),
        userMessage('…'),
      ],
    ],
    [
      'LobeChat, Chinese',
      [system('你是一名擅长会话的助理，你需要将用户的会话总结为 10 个字以内的标题'), userMessage('…')],
    ],
    [
      'Jan, title',
      [userMessage('Summarize in a 10-word Title. Give the title only. Here is the message: "What is it?"')],
    ],
    [
      'NextChat, title',
      [
        ...earlier,
        userMessage('Please generate a four to five word title summarizing our conversation without any lead-in'),
      ],
    ],
    [
      'NextChat, summary',
      [...earlier, system('Summarize the discussion briefly in 200 words or less to use as a prompt')],
    ],
  ])('%s', (_, messages) => expect(detectChore(none, messages, false)).toBe('background'));

  test('a question is none, whatever it resembles', () => {
    for (const text of [
      'Summarize the conversation with the supplier.',
      'Generate a concise title for chapter 3.',
      '### Task:\nRespond to the user query using the provided context\n</context>\n\nWhat is the mass?',
      'Provide a concise summary of the fairing.',
    ]) {
      expect(detectChore(none, [userMessage(text)], false)).toBeUndefined();
      expect(
        detectChore(none, [system('You are a helpful assistant.'), ...earlier, userMessage(text)], true),
      ).toBeUndefined();
    }
    expect(detectChore(none, [userMessage('### Task:\nGenerate a concise title')], true)).toBeUndefined();
  });

  test('a header of Open WebUI decides before all else', () => {
    expect(detectChore(new Headers({ 'x-openwebui-task': 'tags_generation' }), earlier, true)).toBe('tags_generation');
    expect(
      detectChore(new Headers({ 'x-openwebui-task': '' }), [userMessage('### Task:\nGenerate a concise')], false),
    ).toBeUndefined();
  });
});

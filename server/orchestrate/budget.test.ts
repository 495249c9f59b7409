import { expect, test } from 'vitest';
import { assistantMessage, cited, userMessage } from '../testing/requests';
import { estimateTokens, fitToContext } from './budget';

const words = (count: number) => 'word '.repeat(count);
const passages = [1, 2, 3].map((n) => cited(n, { text: words(200) }));

test('everything stays when it fits', () => {
  const messages = [userMessage('one'), assistantMessage('two'), userMessage('three')];
  const result = fitToContext(messages, passages, { contextLength: 8192, options: {} });
  expect(result.messages).toEqual(messages);
  expect(result.passages).toEqual(passages);
  expect(result.report).toMatchObject({ passagesLeftOut: 0, messagesLeftOut: 0, contextLength: 8192 });
});

test('the oldest turns go first, whole turns at a time, and it is reported', () => {
  const messages = [
    { role: 'system' as const, text: 'Be brief.' },
    userMessage(words(500)),
    assistantMessage(words(500)),
    userMessage('recent'),
    assistantMessage('answer'),
    userMessage('now'),
  ];
  const result = fitToContext(messages, passages, { contextLength: 2600, options: {} });
  expect(result.messages).toEqual([messages[0], ...messages.slice(3)]);
  expect(result.report.messagesLeftOut).toBe(2);
  expect(result.passages).toHaveLength(3);
});

test('passages are cut from the end when even they do not fit', () => {
  const result = fitToContext([userMessage('now')], passages, { contextLength: 1900, options: {} });
  expect(result.passages.map(({ n }) => n)).toEqual([1, 2]);
  expect(result.report.passagesLeftOut).toBe(1);
});

test('a question that cannot fit is an error that names it', () => {
  expect(() => fitToContext([userMessage(words(5000))], [], { contextLength: 4096, options: {} })).toThrow(
    expect.objectContaining({ code: 'context_length_exceeded', param: 'messages' }),
  );
});

test('the room for the answer follows the caller’s limit', () => {
  const messages = [userMessage(words(1000)), userMessage('now')];
  expect(fitToContext(messages, [], { contextLength: 2000, options: { maxTokens: 100 } }).messages).toHaveLength(2);
  expect(fitToContext(messages, [], { contextLength: 2000, options: {} }).messages).toHaveLength(1);
});

test('scripts without blanks count by character', () => {
  expect(estimateTokens('漢字漢字')).toBe(4);
  expect(estimateTokens('word word word')).toBe(4);
});

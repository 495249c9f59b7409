import { expect, test } from 'vitest';
import { assistantMessage, cited, userMessage } from '../testing/requests';
import { fitToContext } from './budget';
import { TokenRatios, unitsOf } from './tokens';

const words = (count: number) => 'word '.repeat(count);
const passages = [1, 2, 3].map((n) => cited(n, { text: words(200) }));

test('everything stays when it fits', () => {
  const messages = [userMessage('one'), assistantMessage('two'), userMessage('three')];
  const result = fitToContext(messages, passages, { contextLength: 8192, options: {}, ratio: 3.5, rules: undefined });
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
  const result = fitToContext(messages, passages, { contextLength: 2600, options: {}, ratio: 3.5, rules: undefined });
  expect(result.messages).toEqual([messages[0], ...messages.slice(3)]);
  expect(result.report.messagesLeftOut).toBe(2);
  expect(result.passages).toHaveLength(3);
});

test('passages are cut from the end when even they do not fit', () => {
  const result = fitToContext([userMessage('now')], passages, {
    contextLength: 1800,
    options: {},
    ratio: 3.5,
    rules: undefined,
  });
  expect(result.passages.map(({ n }) => n)).toEqual([1, 2]);
  expect(result.report.passagesLeftOut).toBe(1);
});

test('a question that cannot fit is an error that names it', () => {
  expect(() =>
    fitToContext([userMessage(words(5000))], [], { contextLength: 4096, options: {}, ratio: 3.5, rules: undefined }),
  ).toThrow(expect.objectContaining({ code: 'context_length_exceeded', param: 'messages' }));
});

test('the room for the answer follows the caller’s limit', () => {
  const messages = [userMessage(words(1000)), userMessage('now')];
  expect(
    fitToContext(messages, [], { contextLength: 2000, options: { maxTokens: 100 }, ratio: 3.5, rules: undefined })
      .messages,
  ).toHaveLength(2);
  expect(
    fitToContext(messages, [], { contextLength: 2000, options: {}, ratio: 3.5, rules: undefined }).messages,
  ).toHaveLength(1);
});

test('scripts without blanks count by character', () => {
  expect(unitsOf('漢字漢字') / 2.5).toBe(4);
  expect(unitsOf('word word word')).toBe(14);
});

test('the length of a token is learnt from what the provider counts', () => {
  const ratios = new TokenRatios();
  expect(ratios.of('m')).toEqual({ ratio: 2.5, learned: false });
  expect(ratios.learn('m', 4_000, 1_000)).toBe(true);
  expect(ratios.of('m')).toEqual({ ratio: 4, learned: true });
  expect(ratios.learn('m', 2_000, 1_000)).toBe(true);
  expect(ratios.of('m').ratio).toBeCloseTo(3.2);
  expect(ratios.of('other').learned).toBe(false);
});

test('a count that cannot be that of the whole prompt is not learnt from', () => {
  const ratios = new TokenRatios();
  expect(ratios.learn('m', 10_000, 100)).toBe(false);
  expect(ratios.of('m').learned).toBe(false);
  ratios.learn('m', 4_000, 1_000);
  expect(ratios.learn('m', 4_000, 400)).toBe(false);
  expect(ratios.of('m').ratio).toBe(4);
  // Some providers do not count.
  expect(ratios.learn('m', 4_000, 0)).toBe(true);
});

import { describe, expect, test } from 'vitest';
import type { ModelInfo } from '../core/chat';
import { hasSeveralParts, passagesFor, passagesOf } from './passage-count';

const model = (parameterSize: string | undefined, contextLength: number | undefined = 131_072): ModelInfo => ({
  id: 'm',
  contextLength,
  capabilities: { vision: false, tools: false, thinking: false, embedding: false },
  ...(parameterSize && { parameterSize }),
});

describe('a question has several parts', () => {
  test.each([
    'What is the mass of the fairing and how high is it?',
    'Compare the clamp band with the pyrotechnic cord.',
    'Was ist die Masse, und welche Kräfte wirken?',
    'Quelle est la masse et quelle est la hauteur ?',
    '质量是多少，什么时候分离？',
    'AとBの違いは？',
    'How heavy? How high?',
  ])('%j does', (text) => expect(hasSeveralParts(text)).toBe(true));

  test.each([
    'What is the mass of the fairing?',
    'Search and rescue equipment',
    'Nuts and bolts of M8',
    '密封圈的质量是多少？',
  ])('%j does not', (text) => expect(hasSeveralParts(text)).toBe(false));
});

test('a small model, or a small context, gets fewer passages', () => {
  const [one, two] = ['What is the mass?', 'What is the mass and what is the height?'];
  expect([passagesFor(one), passagesFor(two)]).toEqual([5, 10]);
  expect(passagesOf(5, one, model('8.0B'))).toBe(5);
  expect(passagesOf(5, one, model('3.2B'))).toBe(3);
  expect(passagesOf(10, two, model('3.2B'))).toBe(5);
  expect(passagesOf(5, one, model(undefined, 4_096))).toBe(3);
  // Unknown is not small.
  expect(passagesOf(5, one, model(undefined, undefined))).toBe(5);
});

import { expect, test } from 'vitest';
import { dot, embedQuestion, embedTerms, fromBytes, learn, toBytes } from './latent';

const TOPICS = [
  ['car', 'automobile', 'engine', 'wheel', 'road'],
  ['stew', 'soup', 'pot', 'spoon', 'salt'],
  ['star', 'planet', 'orbit', 'moon', 'comet'],
];
/** Passages of four of five words of a topic, so that not every pair of words stands together. */
const passages = Array.from({ length: 60 }, (_, n) =>
  (TOPICS[n % 3] ?? []).filter((_word, place) => place !== Math.floor(n / 3) % 5),
);
const model = learn(passages, 3);
const cosine = (a: string[], b: string[]) => dot(embedTerms(model, a) ?? [], embedTerms(model, b) ?? []);

test('words that keep the same company are near each other, others are not', () => {
  expect(cosine(['car'], ['automobile'])).toBeGreaterThan(0.95);
  expect(Math.abs(cosine(['car'], ['soup']))).toBeLessThan(0.05);
});

test('unknown words have no vector', () => {
  expect(embedTerms(model, ['zebra'])).toBeUndefined();
  expect(embedQuestion(model, ['zebra'], [['car']])).toBeUndefined();
});

test('examples move a question towards what it found', () => {
  const question = embedQuestion(model, ['star', 'soup'], [['planet', 'moon']]) ?? [];
  expect(dot(question, embedTerms(model, ['orbit']) ?? [])).toBeGreaterThan(
    dot(question, embedTerms(model, ['pot']) ?? []),
  );
});

test('the same passages give the same model, and a file of it is the model again', () => {
  const again = fromBytes(Buffer.from(toBytes(learn(passages, 3))));
  expect(again).toEqual(model);
  const bytes = Buffer.from(toBytes(model));
  expect(() => fromBytes(bytes.subarray(0, bytes.length - 8))).toThrow(/not whole/);
});

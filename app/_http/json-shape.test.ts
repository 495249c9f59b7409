import { expect, test } from 'vitest';
import { checkShape } from './json-shape';

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

test('depth and number of values have a bound', () => {
  expect(() => checkShape(nested(200))).not.toThrow();
  expect(() => checkShape(nested(201))).toThrow(/deeper than 200/);
  expect(() => checkShape(`[${'{},'.repeat(40_000)}1]`)).not.toThrow();
  expect(() => checkShape(`[${'{},'.repeat(50_001)}1]`)).toThrow(/more than 100,000 values/);
  expect(() => checkShape(`[${'1,'.repeat(100_001)}1]`)).toThrow(/more than 100,000 values/);
});

test('what stands in strings does not count', () => {
  const text = (content: string) => JSON.stringify({ [content]: content });
  for (const content of [nested(300), ','.repeat(1_000_001), `"${nested(300)}`, `\\"${nested(300)}\\`, '\\\\', '"']) {
    expect(() => checkShape(text(content))).not.toThrow();
  }
  expect(() => checkShape(`["\\\\", ${nested(200)}]`)).toThrow(/deeper/);
  expect(() => checkShape(`["\\"${'['.repeat(300)}`)).not.toThrow();
});

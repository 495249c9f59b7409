import type Anthropic from '@anthropic-ai/sdk';
import { expect, test } from 'vitest';
import { EventReader } from './anthropic-stream';

/** What gateways send that count only a part, or nothing. */
const read = (...events: unknown[]) => {
  const reader = new EventReader([]);
  return events
    .flatMap((event) => reader.read(event as Anthropic.RawMessageStreamEvent))
    .flatMap((event) => (event.type === 'usage' ? [event.usage] : []));
};

test('counts that a gateway omits never become NaN', () => {
  const start = { type: 'message_start', message: { usage: { input_tokens: 120, output_tokens: 1 } } };
  expect(
    read(start, { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 25 } }).at(-1),
  ).toMatchObject({
    promptTokens: 120,
    completionTokens: 25,
  });
  for (const usage of [undefined, {}, { input_tokens: null, output_tokens: null }]) {
    for (const counts of read(
      { type: 'message_start', message: { usage } },
      { type: 'message_delta', delta: {}, usage },
    )) {
      expect(counts).toEqual({ promptTokens: 0, completionTokens: 0 });
    }
  }
});

import { expect, test } from 'vitest';
import type { RunEvent } from '../core/run';
import { openDatabase } from '../store/database';
import { UsageRepository } from '../store/usage';
import { RunLimits } from './run-limits';
import { UsageMeter } from './usage-meter';

const text: RunEvent = { type: 'text-delta', text: 'x' };
const prompt: RunEvent = {
  type: 'step',
  step: 'prompt',
  report: { promptTokensEstimate: 40, passagesLeftOut: 0, messagesLeftOut: 0 },
};

function meter(...events: RunEvent[]) {
  const meter = new UsageMeter();
  for (const event of events) meter.see([event]);
  return meter.tokens;
}

test('a whole answer counts as its provider reports it, one that was left as far as it was written', () => {
  const usage: RunEvent = { type: 'usage', usage: { promptTokens: 50, completionTokens: 9 } };
  expect(meter(prompt, text, usage, { type: 'finish', reason: 'stop' })).toEqual(usage.usage);
  expect(meter(prompt, text, text, { type: 'reasoning-delta', text: 'y' })).toEqual({
    promptTokens: 40,
    completionTokens: 3,
  });
  // Claude reports the prompt first and the answer again and again.
  const started: RunEvent = { type: 'usage', usage: { promptTokens: 50, completionTokens: 1 } };
  expect(meter(prompt, started, text, text)).toEqual({ promptTokens: 50, completionTokens: 2 });
  expect(meter(prompt)).toBeUndefined();
});

test('usage adds up by day, caller, user and model', async () => {
  const usage = new UsageRepository(await openDatabase(':memory:'));
  const row = {
    day: '2026-11-24',
    caller: 'k',
    user: 'u',
    model: 'm',
    answers: 1,
    promptTokens: 5,
    completionTokens: 2,
  };
  for (const change of [{}, {}, { user: 'v' }, { day: '2026-11-25' }]) void usage.add({ ...row, ...change });
  expect(await usage.recent(10)).toEqual([
    { ...row, day: '2026-11-25' },
    { ...row, answers: 2, promptTokens: 10, completionTokens: 4 },
    { ...row, user: 'v' },
  ]);
});

test('a user behind a shared key has a limit of its own, and gives back what it held', () => {
  const limits = new RunLimits();
  const key = { id: 'k', kind: 'key', role: 'member', name: 'k' } as const;
  const held = Array.from({ length: 20 }, () => limits.enter({ ...key, user: 'u' }));
  expect(() => limits.enter({ ...key, user: 'u' })).toThrow('This user has 20 answers under way');
  limits.enter({ ...key, user: 'v' })();
  held[0]?.();
  expect(() => limits.enter({ ...key, user: 'u' })).not.toThrow();
});

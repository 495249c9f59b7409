import { expect, test } from 'vitest';
import { AppError } from '../core/errors';
import { eventually } from '../testing/collect';
import { PullRegistry } from './pull-registry';

async function* endless(_name: string, signal: AbortSignal) {
  for (let completedBytes = 0; ; completedBytes += 10) {
    signal.throwIfAborted();
    yield { status: 'pulling abc', completedBytes, totalBytes: 1000 };
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('a model pulled twice is one job, watched by many, and can be cancelled', async () => {
  let started = 0;
  const pulls = new PullRegistry(() => {});
  const pull: typeof endless = (name, signal) => {
    started += 1;
    return endless(name, signal);
  };
  pulls.start('a', pull);
  pulls.start('a', pull);
  expect(started).toBe(1);
  await eventually(() => (pulls.list()[0]?.completedBytes ?? 0) > 20);
  const watcher = new AbortController();
  for await (const [state] of pulls.watch(watcher.signal)) {
    expect(state).toMatchObject({ name: 'a', state: 'pulling', totalBytes: 1000 });
    break;
  }
  pulls.cancel('a');
  await eventually(() => pulls.list()[0]?.state === 'cancelled');
  expect(() => pulls.cancel('a')).toThrow(/not being pulled/);
  pulls.start('a', pull);
  expect(started).toBe(2);
  pulls.stopAll();
});

test('success is announced, failure says why', async () => {
  let finished = 0;
  const pulls = new PullRegistry(() => {
    finished += 1;
  });
  pulls.start('good', async function* () {
    yield { status: 'success', completedBytes: 5, totalBytes: 5 };
  });
  // biome-ignore lint/correctness/useYield: it fails before its first step
  pulls.start('bad', async function* () {
    throw new AppError('upstream_error', 'Ollama reported: no space left on device');
  });
  await eventually(() => pulls.list().every(({ state }) => state !== 'pulling'));
  expect(finished).toBe(1);
  expect(pulls.list()).toMatchObject([
    { state: 'done' },
    { state: 'failed', error: expect.stringContaining('no space left') },
  ]);
});

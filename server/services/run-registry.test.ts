import { describe, expect, test, vi } from 'vitest';
import { AppError } from '../core/errors';
import type { Principal, RunEvent } from '../core/run';
import { eventually, patience, textOfEvents } from '../testing/collect';
import { runRequest } from '../testing/requests';
import { type RunEntry, RunRegistry, type StartRun } from './run-registry';

const me: Principal = { id: 'local', kind: 'local', role: 'admin', name: 'me' };
const other: Principal = { ...me, id: 'other' };
const limits = { abandonMs: 100, keepMs: 100, maxRunning: 2 };
const request = runRequest('What is it?');

/** A run whose events are pushed by the test. */
function controlled() {
  const queue: (RunEvent | Error | 'end')[] = [];
  let wake = () => {};
  let aborted = false;
  const start: StartRun = async function* (_request, _context, signal) {
    signal.addEventListener('abort', () => {
      aborted = true;
      wake();
    });
    for (;;) {
      signal.throwIfAborted();
      const next = queue.shift();
      if (next === 'end') return;
      if (next instanceof Error) throw next;
      if (next) yield [next];
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  };
  const push = (...entries: (RunEvent | Error | 'end')[]) => {
    queue.push(...entries);
    wake();
  };
  return { start, push, wasAborted: () => aborted };
}

const say = (text: string): RunEvent => ({ type: 'text-delta', text });

async function readAll(registry: RunRegistry, id: string, from = 0): Promise<RunEntry[]> {
  const entries: RunEntry[] = [];
  for await (const slice of registry.read(id, from, me, patience())) entries.push(...slice.entries);
  return entries;
}

describe('a run', () => {
  test('that is read late keeps the places of its citations', async () => {
    const run = controlled();
    const registry = new RunRegistry(run.start, limits);
    const id = registry.start(request, me, 'k0');
    const cite = (text: string, n: number): RunEvent => ({
      type: 'text-delta',
      text,
      cites: [{ n, at: text.indexOf('[') }],
    });
    run.push(
      say('It is '),
      cite('4 m [1]', 1),
      say(' wide'),
      cite(' [2].', 2),
      { type: 'reasoning-delta', text: 'x' },
      say('.'),
      'end',
    );
    await readAll(registry, id);
    const [text, reasoning, rest] = await readAll(registry, id);
    expect(text).toEqual({
      type: 'text-delta',
      text: 'It is 4 m [1] wide [2].',
      cites: [
        { n: 1, at: 10 },
        { n: 2, at: 19 },
      ],
    });
    expect([reasoning, rest]).toEqual([{ type: 'reasoning-delta', text: 'x' }, say('.')]);
  });

  test('is read from any position, while it goes on and afterwards', async () => {
    const run = controlled();
    const registry = new RunRegistry(run.start, limits);
    const id = registry.start(request, me, 'k1');
    const live = readAll(registry, id);
    run.push(say('a'), say('b'));
    await new Promise((resolve) => setTimeout(resolve, 5));
    run.push(say('c'), 'end');
    expect(textOfEvents(await live)).toBe('abc');
    expect(await readAll(registry, id)).toEqual([say('abc'), { type: 'end', outcome: 'done', error: undefined }]);
    expect(textOfEvents(await readAll(registry, id, 2))).toBe('c');
  });

  test('sent twice is one run', () => {
    const registry = new RunRegistry(controlled().start, limits);
    expect(registry.start(request, me, 'k1')).toBe(registry.start(request, me, 'k1'));
    expect(registry.start(request, me, 'k2')).not.toBe(registry.start(request, me, 'k1'));
  });

  test('of someone else does not exist', async () => {
    const registry = new RunRegistry(controlled().start, limits);
    const id = registry.start(request, me, 'k1');
    expect(() => registry.stop(id, other)).toThrow(expect.objectContaining({ code: 'not_found' }));
    const slices = registry.read(id, 0, other, patience());
    await expect(
      (async () => {
        for await (const _ of slices);
      })(),
    ).rejects.toMatchObject({ code: 'not_found' });
  });

  test('that is stopped keeps what it wrote', async () => {
    const run = controlled();
    const registry = new RunRegistry(run.start, limits);
    const id = registry.start(request, me, 'k1');
    run.push(say('half'));
    await eventually(async () => {
      registry.stop(id, me);
      return run.wasAborted();
    });
    expect((await readAll(registry, id)).at(-1)).toMatchObject({ type: 'end', outcome: 'stopped' });
  });

  test('that fails says why, and hides what may not be shown', async () => {
    const run = controlled();
    const registry = new RunRegistry(run.start, limits);
    const known = registry.start(request, me, 'k1');
    run.push(say('half'), new AppError('upstream_error', 'Ollama reported: out of memory'));
    expect(await readAll(registry, known)).toEqual([
      say('half'),
      { type: 'end', outcome: 'failed', error: { code: 'upstream_error', message: 'Ollama reported: out of memory' } },
    ]);
    const unknown = registry.start(request, me, 'k2');
    run.push(new Error('password=hunter2'));
    expect(JSON.stringify(await readAll(registry, unknown))).not.toContain('hunter2');
  });

  test('goes on when its reader leaves, and ends only when nobody comes back', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const run = controlled();
      const registry = new RunRegistry(run.start, limits);
      const id = registry.start(request, me, 'k1');
      const reader = new AbortController();
      run.push(say('a'));
      for await (const _ of registry.read(id, 0, me, reader.signal)) break;
      await vi.advanceTimersByTimeAsync(90);
      expect(run.wasAborted()).toBe(false);
      for await (const _ of registry.read(id, 0, me, reader.signal)) break;
      await vi.advanceTimersByTimeAsync(90);
      expect(run.wasAborted()).toBe(false);
      await vi.advanceTimersByTimeAsync(20);
      expect(run.wasAborted()).toBe(true);
      await vi.advanceTimersByTimeAsync(110);
      expect(() => registry.stop(id, me)).toThrow(expect.objectContaining({ code: 'not_found' }));
    } finally {
      vi.useRealTimers();
    }
  });

  test('too many at once are refused', () => {
    const registry = new RunRegistry(controlled().start, limits);
    registry.start(request, me, 'k1');
    registry.start(request, me, 'k2');
    expect(() => registry.start(request, me, 'k3')).toThrow(expect.objectContaining({ status: 429 }));
  });
});

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AppError } from '@/server/core/errors';
import type { RunEvent } from '@/server/core/run';
import { streamRun } from './event-stream';

const text = (value: string): RunEvent => ({ type: 'text-delta', text: value });
const facts = { see() {}, toHeaders: () => new Headers({ 'x-test': 'yes' }) };

/** A run that a test feeds by hand; `asked` counts the reads, `left` tells that it was ended early. */
function feed() {
  const waiting: ((result: IteratorResult<readonly RunEvent[]>) => void)[] = [];
  const ready: IteratorResult<readonly RunEvent[]>[] = [];
  const state = { asked: 0, left: false };
  const put = (result: IteratorResult<readonly RunEvent[]>) => {
    const next = waiting.shift();
    if (next) next(result);
    else ready.push(result);
  };
  const iterator: AsyncIterator<readonly RunEvent[]> = {
    next() {
      state.asked += 1;
      const result = ready.shift();
      return result ? Promise.resolve(result) : new Promise((resolve) => waiting.push(resolve));
    },
    async return() {
      state.left = true;
      return { done: true, value: undefined };
    },
  };
  const say = (value: string) => put({ done: false, value: [text(value)] });
  return { iterator, state, say, end: () => put({ done: true, value: undefined }) };
}

/** Like the real ones it keeps something between batches: the first begins with a mark. */
function createEncoder() {
  let begun = '^';
  return {
    encode(events: readonly RunEvent[]) {
      const words = events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('');
      const out = begun + words;
      begun = '';
      return out;
    },
    end: () => '.',
    fail: ({ code }: AppError) => `!${code}`,
  };
}

const run = (iterator: AsyncIterator<readonly RunEvent[]>, signal = new AbortController().signal) =>
  streamRun(iterator, { encoder: createEncoder(), facts }, signal);

/** Where Next pipes to: notes what is written and takes it when it is told to. */
function connection(taking = true) {
  const written: string[] = [];
  const state = { closed: false, release: () => {} };
  const sink = new WritableStream<Uint8Array>({
    write(chunk) {
      written.push(Buffer.from(chunk).toString());
      return taking ? undefined : new Promise<void>((resolve) => (state.release = resolve));
    },
    close() {
      state.closed = true;
    },
  });
  return { sink, written, state };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe.each([
  [
    'piped as Next does',
    async (response: Response) => {
      const { sink, written } = connection();
      await response.body?.pipeTo(sink);
      return written.join('');
    },
  ],
  ['read like any stream', async (response: Response) => response.text()],
])('%s', (_, read) => {
  test('everything arrives in order, then the end', async () => {
    const { iterator, say, end } = feed();
    for (const word of ['a', 'b', '', 'ü漢']) say(word);
    end();
    const response = await run(iterator);
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    expect(response.headers.get('cache-control')).toContain('no-transform');
    expect(response.headers.get('x-test')).toBe('yes');
    expect(await read(response)).toBe('^abü漢.');
  });

  test('a failure in the middle is written, not thrown', async () => {
    const { iterator, say } = feed();
    say('a');
    const response = await run({
      ...iterator,
      next: vi
        .fn(iterator.next.bind(iterator))
        .mockImplementationOnce(() => iterator.next())
        .mockRejectedValueOnce(new AppError('upstream_stalled', 'x')),
    });
    expect(await read(response)).toBe('^a!upstream_stalled');
  });

  test('silence is filled with a comment every ten seconds', async () => {
    const { iterator, say, end } = feed();
    const opening = run(iterator);
    await vi.advanceTimersByTimeAsync(1_000);
    const reading = read(await opening);
    await vi.advanceTimersByTimeAsync(20_500);
    say('a');
    await vi.advanceTimersByTimeAsync(9_000);
    end();
    expect(await reading).toBe(`${': keep-alive\n\n'.repeat(3)}^a.`);
  });
});

test('a failure before the first event is thrown, so that it gets its own status', async () => {
  const failing = { next: () => Promise.reject(new AppError('model_not_found', 'x')) };
  await expect(run(failing)).rejects.toMatchObject({ code: 'model_not_found' });
});

test('a reader that is full makes the provider wait', async () => {
  const { iterator, state, say } = feed();
  for (let n = 0; n < 100; n++) say('x');
  const { sink, written, state: reader } = connection(false);
  void (await run(iterator)).body?.pipeTo(sink);
  await vi.advanceTimersByTimeAsync(5_000);
  const asked = state.asked;
  expect(asked).toBeLessThan(12);
  expect(written).toHaveLength(1);
  for (let n = 0; n < 20; n++) {
    reader.release();
    await vi.advanceTimersByTimeAsync(1);
  }
  expect(state.asked).toBeGreaterThan(asked + 10);
});

test('a connection that is full when it breaks leaves nothing behind', async () => {
  const { iterator, state, say } = feed();
  for (let n = 0; n < 100; n++) say('x');
  const controller = new AbortController();
  const piping = (await run(iterator)).body?.pipeTo(connection(false).sink, { signal: controller.signal });
  const settled = piping?.then(
    () => true,
    () => true,
  );
  await vi.advanceTimersByTimeAsync(5_000);
  controller.abort();
  await vi.advanceTimersByTimeAsync(1);
  expect(await settled).toBe(true);
  expect(state.left).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

test.each(['the pipe is aborted', 'the stream is cancelled', 'the connection fails'])(
  'when %s the run ends',
  async (how) => {
    const { iterator, state, say } = feed();
    say('x');
    const { body } = await run(iterator);
    const controller = new AbortController();
    if (how === 'the stream is cancelled') {
      const reader = body?.getReader();
      await reader?.read();
      await reader?.cancel();
    } else if (how === 'the pipe is aborted') {
      void body?.pipeTo(connection().sink, { signal: controller.signal }).catch(() => {});
      await vi.advanceTimersByTimeAsync(1);
      controller.abort();
    } else {
      const failing = new WritableStream({ write: () => Promise.reject(new Error('EPIPE')) });
      void body?.pipeTo(failing).catch(() => {});
    }
    await vi.advanceTimersByTimeAsync(1);
    expect(state.left).toBe(true);
  },
);

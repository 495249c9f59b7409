import { describe, expect, test } from 'vitest';
import { observed, thenDelegate } from './iterate';

async function* numbers(log: string[] = []) {
  try {
    yield 2;
    yield 3;
  } finally {
    log.push('inner over');
  }
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const seen: T[] = [];
  for await (const item of items) seen.push(item);
  return seen;
}

describe('thenDelegate', () => {
  const combined = (log: string[]) =>
    thenDelegate(
      (async function* () {
        try {
          yield 1;
          return numbers(log);
        } finally {
          log.push('prelude over');
        }
      })(),
    );

  test('goes from the generator to what it returns', async () => {
    expect(await all(combined([]))).toEqual([1, 2, 3]);
  });

  test('leaving it ends whichever of the two is at work', async () => {
    const early: string[] = [];
    for await (const _ of combined(early)) break;
    expect(early).toEqual(['prelude over']);
    const late: string[] = [];
    for await (const n of combined(late)) if (n === 2) break;
    expect(late).toEqual(['prelude over', 'inner over']);
  });
});

describe('observed', () => {
  const watch = (inner: AsyncIterator<number>) => {
    const log: string[] = [];
    const items = observed(inner, {
      onValue: () => {},
      mapError: (error) => new Error(`mapped ${(error as Error).message}`),
      onEnd: () => log.push('end'),
    });
    return { log, items };
  };

  test('tells the end once: after the last item, a failure, or leaving', async () => {
    const whole = watch(numbers());
    expect(await all(whole.items)).toEqual([2, 3]);
    expect(whole.log).toEqual(['end']);
    const left = watch(numbers());
    for await (const _ of left.items) break;
    expect(left.log).toEqual(['end']);
  });

  test('maps what is thrown', async () => {
    const broken = watch(
      (async function* () {
        yield 1;
        throw new Error('x');
      })(),
    );
    await expect(all(broken.items)).rejects.toThrow('mapped x');
    expect(broken.log).toEqual(['end']);
  });
});

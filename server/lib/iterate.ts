/** Async iteration without a generator per hop: each hop costs several promises per token, for every stream. */

/**
 * Runs a generator up to its end and goes on with the iterator it returns, handing that one's results
 * through as they are: like `yield*`, which would cost three promises for each.
 */
export function thenDelegate<T>(prelude: AsyncGenerator<T, AsyncIterable<T>>): AsyncIterableIterator<T> {
  let rest: AsyncIterator<T> | undefined;
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next() {
      if (rest) return rest.next();
      return prelude.next().then((result) => {
        if (!result.done) return result;
        rest = result.value[Symbol.asyncIterator]();
        return rest.next();
      });
    },
    async return() {
      await (rest ?? (prelude as AsyncIterator<T>)).return?.();
      return { done: true, value: undefined };
    },
  };
}

/** Watches an iteration: `onValue` sees what passes, `mapError` may replace what is thrown, `onEnd` runs once when it is over, however it ends. */
export function observed<T>(
  inner: AsyncIterator<T>,
  observer: { onValue(value: T): void; mapError(error: unknown): unknown; onEnd(): void },
): AsyncIterableIterator<T> {
  let ended = false;
  const end = () => {
    if (!ended) observer.onEnd();
    ended = true;
  };
  const pass = (result: IteratorResult<T>) => {
    if (result.done) end();
    else observer.onValue(result.value);
    return result;
  };
  const fail = (error: unknown): never => {
    const mapped = observer.mapError(error);
    end();
    throw mapped;
  };
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: () => inner.next().then(pass, fail),
    async return() {
      end();
      await inner.return?.();
      return { done: true, value: undefined };
    },
  };
}

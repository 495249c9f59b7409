/** Small helpers around promises and abort signals. */

/** Resolves after `ms`; rejects at once when the signal aborts. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

export interface Cached<T> {
  (): Promise<T>;
  /** The next call loads anew. */
  reset(): void;
}

/** Remembers the last value for `ttlMs` and shares one flight between concurrent callers. */
export function cached<T>(ttlMs: number, load: () => Promise<T>): Cached<T> {
  let value: Promise<T> | undefined;
  let expires = 0;
  const get = () => {
    if (value && performance.now() < expires) return value;
    const flight = load();
    value = flight;
    expires = Number.POSITIVE_INFINITY;
    flight.then(
      () => {
        if (value === flight) expires = performance.now() + ttlMs;
      },
      () => {
        // A failure is not remembered: the next caller tries again.
        if (value === flight) value = undefined;
      },
    );
    return flight;
  };
  const reset = () => {
    value = undefined;
  };
  return Object.assign(get, { reset });
}

/** The value if it arrives within `ms`, else undefined; the promise itself goes on. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

export interface Deadline {
  /** Whoever asks: their leaving aborts the work too. */
  signal: AbortSignal;
  ms: number;
  /** The error to throw instead of what the work threw when time ran out. */
  late?: (cause: unknown) => Error;
}

/**
 * Runs `work` with a signal that aborts with `signal`, or after `ms` with a `TimeoutError`. Unlike
 * `AbortSignal.any` with `AbortSignal.timeout` it cannot be collected as garbage before it fires (Node 20).
 */
export async function withDeadline<T>(
  { signal, ms, late }: Deadline,
  work: (limited: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const onAbort = () => controller.abort(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(() => controller.abort(new DOMException('It took too long.', 'TimeoutError')), ms);
  try {
    return await work(controller.signal);
  } catch (error) {
    throw late && controller.signal.aborted && !signal.aborted ? late(error) : error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

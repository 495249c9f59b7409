import { type AppError, isAbort, toAppError } from '@/server/core/errors';
import type { RunEvent } from '@/server/core/run';
import { log } from '@/server/lib/log';

type Batches = AsyncIterator<readonly RunEvent[]>;

/** How a transport writes events; `fail` and `end` close the stream. */
interface StreamEncoder {
  encode(events: readonly RunEvent[]): string;
  end(): string;
  fail(error: AppError): string;
}

/** Longest wait for the first event of the model before the status is settled as 200. */
const FIRST_EVENT_MS = 1_000;
const KEEP_ALIVE_MS = 10_000;
const KEEP_ALIVE = ': keep-alive\n\n';

/** What happened before the headers had to go out. */
interface Opened {
  /** Read already, to be sent first. */
  batches: (readonly RunEvent[])[];
  /** The read that was still under way when the time was up. */
  pending: Promise<IteratorResult<readonly RunEvent[]>> | undefined;
}

/**
 * Reads until the model's first event, at most one second: a failure by then is thrown and becomes
 * an HTTP status. Next sends no headers before the first byte, so waiting longer would look like a
 * hanging connection.
 */
async function open(iterator: Batches): Promise<Opened> {
  const batches: (readonly RunEvent[])[] = [];
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), FIRST_EVENT_MS);
  });
  try {
    for (;;) {
      const pending = iterator.next();
      const result = await Promise.race([pending, late]);
      if (result === 'late') return { batches, pending };
      if (result.done) return { batches, pending: undefined };
      batches.push(result.value);
      if (result.value.some(isModelEvent)) return { batches, pending: undefined };
    }
  } finally {
    clearTimeout(timer);
  }
}

function isModelEvent(event: RunEvent): boolean {
  return event.type !== 'step' && event.type !== 'retrieval';
}

/**
 * The rest of a run as server-sent events. Pull-based: a slow reader slows the provider down. A
 * cancelled stream or an aborted request ends the run.
 */
function toEventStream(
  iterator: Batches,
  opened: Opened,
  encoder: StreamEncoder,
  signal: AbortSignal,
): ReadableStream<Uint8Array> {
  const utf8 = new TextEncoder();
  let first: string | undefined = opened.batches.map((batch) => encoder.encode(batch)).join('');
  let pending = opened.pending;
  // One timer for the whole stream, set back by every read: it fires only in silence.
  let waiting: ((text: string) => void) | undefined;
  let cancelled = false;
  const quiet = setInterval(() => waiting?.(KEEP_ALIVE), KEEP_ALIVE_MS);
  quiet.unref();
  return new ReadableStream<Uint8Array>(
    {
      // Chained by hand: an async function here would cost two more promises per token.
      pull(controller) {
        const send = (text: string) => controller.enqueue(utf8.encode(text));
        const close = (text: string) => {
          clearInterval(quiet);
          waiting = undefined;
          if (text !== '') send(text);
          controller.close();
        };
        if (first !== undefined) {
          send(first || KEEP_ALIVE);
          first = undefined;
          return undefined;
        }
        quiet.refresh();
        waiting = send;
        const fail = (error: unknown) => {
          if (cancelled) return;
          // An aborted reader has gone: there is nobody to tell.
          if (signal.aborted || isAbort(error)) return close('');
          const failure = toAppError(error);
          log.warn({ err: failure.cause ?? failure, code: failure.code }, 'an answer broke off');
          return close(encoder.fail(failure));
        };
        const take = ({ done, value }: IteratorResult<readonly RunEvent[]>): void | Promise<void> => {
          if (cancelled) return undefined;
          if (done) return close(encoder.end());
          const text = encoder.encode(value);
          // A batch without anything to show: the next one.
          if (text === '') return iterator.next().then(take);
          waiting = undefined;
          return send(text);
        };
        const read = pending ?? iterator.next();
        pending = undefined;
        return read.then(take).catch(fail);
      },
      async cancel() {
        cancelled = true;
        clearInterval(quiet);
        await iterator.return?.();
      },
    },
    { highWaterMark: 1 },
  );
}

/**
 * A run as a response: the status is settled by its first event, the headers say what is known by then,
 * the rest follows as events.
 */
export async function streamRun(
  events: Batches,
  parts: { encoder: StreamEncoder; facts: { see(events: readonly RunEvent[]): void; toHeaders(): Headers } },
  signal: AbortSignal,
): Promise<Response> {
  const opened = await open(events);
  for (const batch of opened.batches) parts.facts.see(batch);
  const headers = parts.facts.toHeaders();
  for (const [name, value] of Object.entries(EVENT_STREAM_HEADERS)) headers.set(name, value);
  return new Response(toEventStream(events, opened, parts.encoder, signal), { headers });
}

/** No transformation: Next would compress, and proxies would hold back, what has to flow. */
const EVENT_STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};

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
const KEEP_ALIVE_TICKS = 4;
const KEEP_ALIVE = ': keep-alive\n\n';
/** Writes that may wait for the connection before the run is made to wait. */
const MAX_WAITING = 4;

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
 * The rest of a run as server-sent events, written one after the other: a slow reader slows the provider
 * down. Chained by hand, since this runs for every token of every stream.
 */
class EventWriter {
  /** True when the reader has gone. */
  cancelled = false;
  private pending: Opened['pending'];
  /** Ends the writing. */
  private settle = () => {};

  constructor(
    private readonly iterator: Batches,
    private readonly opened: Opened,
    private readonly encoder: StreamEncoder,
    private readonly signal: AbortSignal,
  ) {
    this.pending = opened.pending;
  }

  /**
   * Writes everything and resolves after the last write. `write` answers a promise only when the reader
   * cannot take more for now. No promise waits for the next one, or a long answer would hold them all.
   */
  writeTo(write: (text: string) => Promise<void> | undefined): Promise<void> {
    const { encoder, iterator, signal } = this;
    // Ticks since the last read came; setting a timer back for every token would cost more than the token.
    let silence = 0;
    let full = false;
    const quiet = setInterval(() => {
      silence += 1;
      // A connection that is full needs no more to stay open.
      if (full || silence < KEEP_ALIVE_TICKS) return;
      silence = 0;
      void write(KEEP_ALIVE)?.catch(() => {});
    }, KEEP_ALIVE_MS / KEEP_ALIVE_TICKS);
    quiet.unref();
    return new Promise<void>((resolve, reject) => {
      // A reader that has gone may leave a write or a read without an end.
      this.settle = resolve;
      const send = (text: string, then: () => void) => {
        const room = write(text);
        const go = () => {
          full = false;
          then();
        };
        full = room !== undefined;
        if (room) room.then(go, reject);
        else go();
      };
      const step = () => {
        if (this.cancelled) return resolve();
        const read = this.pending ?? iterator.next();
        this.pending = undefined;
        read.then(take, fail);
      };
      const take = ({ done, value }: IteratorResult<readonly RunEvent[]>) => {
        silence = 0;
        if (this.cancelled) return resolve();
        try {
          if (done) return send(encoder.end(), resolve);
          const text = encoder.encode(value);
          // A batch without anything to show: the next one.
          if (text === '') return step();
          return send(text, step);
        } catch (error) {
          return fail(error);
        }
      };
      const fail = (error: unknown) => {
        void Promise.resolve(iterator.return?.()).catch(() => {});
        // An aborted reader has gone: there is nobody to tell.
        if (this.cancelled || signal.aborted || isAbort(error)) return resolve();
        const failure = toAppError(error);
        log.warn({ err: failure.cause ?? failure, code: failure.code }, 'an answer broke off');
        return send(encoder.fail(failure), resolve);
      };
      send(this.opened.batches.map((batch) => encoder.encode(batch)).join('') || KEEP_ALIVE, step);
    }).finally(() => clearInterval(quiet));
  }

  /** The reader has gone: ends the run. */
  async cancel(): Promise<void> {
    this.cancelled = true;
    this.settle();
    await this.iterator.return?.();
  }
}

/**
 * A body that Next pipes into the connection. The platform's own pipe costs a dozen promises per chunk, which
 * for tokens is most of the work: this one hands each text to the destination directly (docs/decisions/0009).
 * Read in any other way it is an ordinary stream.
 */
class EventStreamBody extends ReadableStream<Uint8Array> {
  constructor(private readonly events: EventWriter) {
    const utf8 = new TextEncoder();
    let wanted = () => {};
    let started = false;
    let cancelled = false;
    const source: UnderlyingDefaultSource<Uint8Array> = {
      pull(controller) {
        wanted();
        if (started) return;
        started = true;
        events
          .writeTo((text) => {
            if (cancelled) return undefined;
            controller.enqueue(utf8.encode(text));
            return new Promise((resolve) => {
              wanted = resolve;
            });
          })
          .then(
            () => cancelled || controller.close(),
            (error) => controller.error(error),
          );
      },
      cancel() {
        cancelled = true;
        return events.cancel();
      },
    };
    // Nothing is read before somebody asks: else both ways would begin.
    super(source, { highWaterMark: 0 });
  }

  override async pipeTo(destination: WritableStream<Uint8Array>, options: StreamPipeOptions = {}): Promise<void> {
    const writer = destination.getWriter();
    // A failed write also fails the end, where it is reported.
    const ignore = () => {};
    const stop = () => void this.events.cancel().catch(ignore);
    const abort = () => {
      stop();
      // Else the end of the pipe would wait for a connection that takes nothing any more.
      writer.abort(options.signal?.reason).catch(ignore);
    };
    if (options.signal?.aborted) abort();
    options.signal?.addEventListener('abort', abort, { once: true });
    writer.closed.catch(stop);
    try {
      await this.events.writeTo((text) => {
        writer.write(Buffer.from(text)).catch(ignore);
        return (writer.desiredSize ?? 0) > -MAX_WAITING ? undefined : writer.ready;
      });
      // To close would wait for a write that nobody takes.
      if (this.events.cancelled) throw options.signal?.reason ?? new DOMException('The reader has gone.', 'AbortError');
      await writer.close();
    } catch (error) {
      stop();
      writer.abort(error).catch(ignore);
      throw error;
    } finally {
      options.signal?.removeEventListener('abort', abort);
    }
  }
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
  if (signal.aborted) {
    // Nobody would read, and so end, what follows.
    await events.return?.();
    signal.throwIfAborted();
  }
  for (const batch of opened.batches) parts.facts.see(batch);
  const headers = parts.facts.toHeaders();
  for (const [name, value] of Object.entries(EVENT_STREAM_HEADERS)) headers.set(name, value);
  return new Response(new EventStreamBody(new EventWriter(events, opened, parts.encoder, signal)), { headers });
}

/** No transformation: Next would compress, and proxies would hold back, what has to flow. */
const EVENT_STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};

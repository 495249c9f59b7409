import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { AppError } from '../core/errors';
import { flatHeaders, openRequest, readCapped, toServiceRequest } from './http';
import { toServiceError } from './service-error';

const NEWLINE = 10;

export interface NdjsonLimits {
  service: string;
  signal: AbortSignal;
  firstByteMs: number;
  idleMs: number;
  maxLineBytes: number;
}

/**
 * A `fetch` for the `ollama` package whose body is guarded: that package skips malformed lines with a
 * warning that prints them, and buffers a line of any length. Here every line is checked before it is
 * handed over, whole lines only, one upstream read at a time.
 */
export class NdjsonWire {
  /** Lines handed over by the last read and not yet counted as seen: the reader's batch border. */
  private unseen = 0;
  private response: Dispatcher.ResponseData | undefined;

  constructor(private readonly limits: NdjsonLimits) {}

  /** Counts one line as consumed; true when it was the last of its upstream read. */
  sawLine(): boolean {
    this.unseen -= 1;
    return this.unseen <= 0;
  }

  /** Closes the connection; the service sees the disconnect at once. */
  close(): void {
    this.response?.body.destroy();
  }

  readonly fetch: typeof fetch = async (input, init) => {
    const { service, signal, firstByteMs, idleMs } = this.limits;
    const spec = { ...toServiceRequest(input, init, { service, totalMs: idleMs }), firstByteMs, idleMs };
    const response = await openRequest(spec, signal);
    this.response = response;
    // A late error on an abandoned body must not become an unhandled 'error' event.
    response.body.on('error', () => {});
    if (response.statusCode >= 300) {
      const text = await readCapped(response, 64 * 1024, service);
      return new Response(text, { status: response.statusCode, headers: flatHeaders(response.headers) });
    }
    const reader = {
      read: this.lineReader(new ChunkReader(response.body)),
      releaseLock() {},
      cancel: async () => this.close(),
    };
    // The package touches only `ok`, `status` and `body.getReader()`; a real web stream here would
    // cost more per token than everything else Ivy does.
    return { ok: true, status: response.statusCode, body: { getReader: () => reader } } as unknown as Response;
  };

  private lineReader(chunks: ChunkReader) {
    let carry: Buffer = Buffer.alloc(0);
    return async (): Promise<{ done: boolean; value?: Buffer }> => {
      for (;;) {
        const next = await this.nextChunk(chunks);
        if (next === undefined) {
          if (carry.length === 0) return { done: true };
          const rest = carry;
          carry = Buffer.alloc(0);
          this.unseen = this.checkLines(rest);
          return { done: false, value: rest };
        }
        const data = carry.length === 0 ? next : Buffer.concat([carry, next]);
        const end = data.lastIndexOf(NEWLINE) + 1;
        carry = data.subarray(end);
        if (carry.length > this.limits.maxLineBytes) throw this.tooLong();
        if (end === 0) continue;
        const lines = data.subarray(0, end);
        this.unseen = this.checkLines(lines);
        if (this.unseen > 0) return { done: false, value: lines };
      }
    };
  }

  private async nextChunk(chunks: ChunkReader): Promise<Buffer | undefined> {
    try {
      return await chunks.next();
    } catch (error) {
      if (this.limits.signal.aborted) throw error;
      throw toServiceError(error, this.limits.service);
    }
  }

  /** The number of lines; throws on the first that is not JSON. */
  private checkLines(lines: Buffer): number {
    let count = 0;
    for (const line of lines.toString('utf8').split('\n')) {
      if (line === '') continue;
      if (line.length > this.limits.maxLineBytes) throw this.tooLong();
      try {
        JSON.parse(line);
      } catch {
        // The line itself may hold document text, so it appears in no message and no log.
        throw new AppError('upstream_error', `${this.limits.service} sent a line that is not valid JSON.`);
      }
      count += 1;
    }
    return count;
  }

  private tooLong(): AppError {
    return new AppError('upstream_error', `${this.limits.service} sent a line longer than Ivy accepts.`);
  }
}

/** Reads a Node stream piece by piece, with one promise each; the stream's own async iterator takes several. */
class ChunkReader {
  private failure: Error | undefined;
  private ended = false;
  private wake = () => {};

  constructor(private readonly body: Readable) {
    const wake = () => this.wake();
    body.on('readable', wake);
    body.on('end', () => {
      this.ended = true;
      wake();
    });
    body.on('error', (error) => {
      this.failure = error;
      wake();
    });
    body.on('close', () => {
      this.ended = true;
      wake();
    });
  }

  /** The next piece; undefined at the end. Throws what the stream failed with. */
  next(): Promise<Buffer | undefined> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        const data = this.failure ? null : (this.body.read() as Buffer | null);
        if (this.failure) reject(this.failure);
        else if (data !== null) resolve(data);
        else if (this.ended) resolve(undefined);
        else return;
        this.wake = () => {};
      };
      this.wake = settle;
      settle();
    });
  }
}

import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { AppError } from '../core/errors';
import { flatHeaders, openRequest, readCapped, type ServiceRequest, toServiceRequest } from './http';
import { toServiceError } from './service-error';

const NEWLINE = 10;
const MAX_ERROR_BYTES = 64 * 1024;

export interface NdjsonLimits {
  service: string;
  signal: AbortSignal;
  firstByteMs: number;
  idleMs: number;
  maxLineBytes: number;
}

/** What one upstream read completed: whole lines, as bytes and parsed. */
interface Lines {
  bytes: Buffer;
  values: unknown[];
}

/**
 * Reads lines of JSON, one upstream read at a time. Every line is checked: a malformed or endless one
 * is an error, never skipped. One promise per read, since this runs for every token of every stream.
 */
export class NdjsonReader {
  private carry: Buffer = Buffer.alloc(0);
  private readonly chunks: ChunkReader;

  constructor(
    private readonly body: Readable,
    private readonly limits: Pick<NdjsonLimits, 'service' | 'signal' | 'maxLineBytes'>,
  ) {
    this.chunks = new ChunkReader(body);
  }

  /** Undefined at the end. */
  next(): Promise<Lines | undefined> {
    return this.chunks.next().then(this.take, this.fail);
  }

  /** Closes the connection; the service sees the disconnect at once. */
  close(): void {
    this.body.destroy();
  }

  private readonly take = (chunk: Buffer | undefined): Lines | undefined | Promise<Lines | undefined> => {
    if (chunk === undefined) {
      const rest = this.carry;
      this.carry = Buffer.alloc(0);
      return rest.length === 0 ? undefined : { bytes: rest, values: this.parse(rest) };
    }
    const data = this.carry.length === 0 ? chunk : Buffer.concat([this.carry, chunk]);
    const end = data.lastIndexOf(NEWLINE) + 1;
    this.carry = data.subarray(end);
    if (this.carry.length > this.limits.maxLineBytes) throw this.tooLong();
    const bytes = data.subarray(0, end);
    const values = end === 0 ? [] : this.parse(bytes);
    return values.length > 0 ? { bytes, values } : this.next();
  };

  private readonly fail = (error: unknown): never => {
    throw this.limits.signal.aborted ? error : toServiceError(error, this.limits.service);
  };

  private parse(lines: Buffer): unknown[] {
    const values: unknown[] = [];
    for (const line of lines.toString('utf8').split('\n')) {
      if (line === '') continue;
      if (line.length > this.limits.maxLineBytes) throw this.tooLong();
      try {
        values.push(JSON.parse(line));
      } catch {
        // The line itself may hold document text, so it appears in no message and no log.
        throw new AppError('upstream_error', `${this.limits.service} sent a line that is not valid JSON.`);
      }
    }
    return values;
  }

  private tooLong(): AppError {
    return new AppError('upstream_error', `${this.limits.service} sent a line longer than Ivy accepts.`);
  }
}

/** Sends a request whose answer is lines of JSON. An answer that is no success is thrown as `NdjsonRefusal`. */
export async function openNdjson(
  request: Pick<ServiceRequest, 'url' | 'method' | 'headers' | 'body'>,
  limits: NdjsonLimits,
): Promise<NdjsonReader> {
  const response = await openBody({ ...request, ...limits }, limits.signal);
  if (response.statusCode >= 300) {
    throw new NdjsonRefusal(response.statusCode, await readCapped(response, MAX_ERROR_BYTES, limits.service));
  }
  return new NdjsonReader(response.body, limits);
}

/** The service answered with a status instead of lines. */
export class NdjsonRefusal extends Error {
  constructor(
    readonly status: number,
    /** As the service wrote it; may hold anything. */
    readonly body: string,
  ) {
    super(`HTTP ${status}`);
  }
}

/**
 * A `fetch` for the `ollama` package with the same guard: that package skips malformed lines with a
 * warning that prints them, and buffers a line of any length.
 */
export class NdjsonWire {
  private reader: NdjsonReader | undefined;

  constructor(private readonly limits: NdjsonLimits) {}

  close(): void {
    this.reader?.close();
  }

  readonly fetch: typeof fetch = async (input, init) => {
    const { service, signal, firstByteMs, idleMs } = this.limits;
    const spec = { ...toServiceRequest(input, init, { service, totalMs: idleMs }), firstByteMs, idleMs };
    const response = await openBody(spec, signal);
    if (response.statusCode >= 300) {
      const text = await readCapped(response, MAX_ERROR_BYTES, service);
      return new Response(text, { status: response.statusCode, headers: flatHeaders(response.headers) });
    }
    const lines = new NdjsonReader(response.body, this.limits);
    this.reader = lines;
    const read = async () => {
      const next = await lines.next();
      return next ? { done: false, value: next.bytes } : { done: true };
    };
    const reader = { read, releaseLock() {}, cancel: async () => this.close() };
    // The package touches only `ok`, `status` and `body.getReader()`.
    return { ok: true, status: response.statusCode, body: { getReader: () => reader } } as unknown as Response;
  };
}

async function openBody(spec: ServiceRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  const response = await openRequest(spec, signal);
  // A late error on an abandoned body must not become an unhandled 'error' event.
  response.body.on('error', () => {});
  return response;
}

/** Reads a Node stream piece by piece, with one promise each; the stream's own async iterator takes several. */
class ChunkReader {
  private failure: Error | undefined;
  private ended = false;
  private settle = () => {};

  constructor(private readonly body: Readable) {
    const wake = () => this.settle();
    const end = () => {
      this.ended = true;
      wake();
    };
    body.on('readable', wake);
    body.on('end', end);
    body.on('close', end);
    body.on('error', (error) => {
      this.failure = error;
      wake();
    });
  }

  /** The next piece; undefined at the end. Throws what the stream failed with. */
  next(): Promise<Buffer | undefined> {
    return new Promise((resolve, reject) => {
      this.settle = () => {
        const data = this.failure ? null : (this.body.read() as Buffer | null);
        if (this.failure) reject(this.failure);
        else if (data !== null) resolve(data);
        else if (this.ended) resolve(undefined);
        else return;
        this.settle = () => {};
      };
      this.settle();
    });
  }
}

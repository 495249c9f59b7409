import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { AppError } from '../core/errors';
import { flatHeaders, openRequest, readCapped, type ServiceRequest, toServiceRequest } from './http';
import { toServiceError } from './service-error';

const NEWLINE = 10;
const EMPTY: Buffer = Buffer.alloc(0);
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
 * is an error, never skipped. One promise per read, since this runs for every token of every stream;
 * the Node stream's own async iterator takes several.
 */
export class NdjsonReader {
  /** The last line, as far as it has come. */
  private carry: Buffer = EMPTY;
  /** What came while nobody was waiting. */
  private arrived: Buffer[] = [];
  private failure: Error | undefined;
  /** A line that cannot be read, behind lines that can. */
  private malformed: AppError | undefined;
  private ended = false;
  private paused = false;
  /** Settles the read under way, if there is one. */
  private settle: (() => void) | undefined;

  constructor(
    private readonly body: Readable,
    private readonly limits: Pick<NdjsonLimits, 'service' | 'signal' | 'maxLineBytes'>,
  ) {
    const wake = () => this.settle?.();
    const end = () => {
      this.ended = true;
      wake();
    };
    body.on('data', (chunk: Buffer) => {
      this.arrived.push(chunk);
      if (this.settle) {
        // What came in one read of the connection leaves together.
        if (this.arrived.length === 1) process.nextTick(wake);
        return;
      }
      // Nobody waits: the service is made to wait as well.
      this.paused = true;
      body.pause();
    });
    body.on('end', end);
    body.on('close', end);
    body.on('error', (error) => {
      this.failure = error;
      wake();
    });
  }

  /** Undefined at the end. */
  next(): Promise<Lines | undefined> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        try {
          const lines = this.read();
          if (lines === 'wait') return;
          this.settle = undefined;
          resolve(lines);
        } catch (error) {
          this.settle = undefined;
          reject(error);
        }
      };
      this.settle = settle;
      settle();
      if (!this.paused || this.settle !== settle) return;
      this.paused = false;
      this.body.resume();
    });
  }

  /** Lets the rest of the body pass unread, so that the connection can serve the next request. */
  finish(): void {
    this.body.resume();
  }

  /** Closes the connection; the service sees the disconnect at once. */
  close(): void {
    this.body.destroy();
  }

  private read(): Lines | undefined | 'wait' {
    if (this.malformed) throw this.malformed;
    // What arrived before the connection broke comes first, however slow the reader is.
    if (this.arrived.length > 0 && !this.limits.signal.aborted) {
      const lines = this.take(this.arrived.length === 1 ? (this.arrived[0] ?? EMPTY) : Buffer.concat(this.arrived));
      if (lines) return lines;
    }
    if (this.failure && this.drainBody()) return this.read();
    if (this.failure) {
      throw this.limits.signal.aborted ? this.failure : toServiceError(this.failure, this.limits.service);
    }
    return this.ended ? this.takeRest() : 'wait';
  }

  /** Takes what a broken body still holds; true when there was something. */
  private drainBody(): boolean {
    if (this.limits.signal.aborted) return false;
    for (let chunk = this.body.read() as Buffer | null; chunk; chunk = this.body.read() as Buffer | null) {
      this.arrived.push(chunk);
    }
    return this.arrived.length > 0;
  }

  private take(chunk: Buffer): Lines | undefined {
    this.arrived = [];
    const data = this.carry.length === 0 ? chunk : Buffer.concat([this.carry, chunk]);
    const end = data.lastIndexOf(NEWLINE) + 1;
    this.carry = data.subarray(end);
    if (this.carry.length > this.limits.maxLineBytes) throw this.tooLong();
    if (end === 0) return undefined;
    const bytes = data.subarray(0, end);
    const values = this.parse(bytes);
    return values.length > 0 ? { bytes, values } : undefined;
  }

  private takeRest(): Lines | undefined {
    const bytes = this.carry;
    this.carry = EMPTY;
    return bytes.length === 0 ? undefined : { bytes, values: this.parse(bytes) };
  }

  private parse(lines: Buffer): unknown[] {
    const values: unknown[] = [];
    for (const line of lines.toString('utf8').split('\n')) {
      if (line === '') continue;
      const failure = this.parseLine(line, values);
      if (!failure) continue;
      // The lines before it came first: they are handed out first.
      if (values.length === 0) throw failure;
      this.malformed = failure;
      break;
    }
    return values;
  }

  private parseLine(line: string, into: unknown[]): AppError | undefined {
    if (line.length > this.limits.maxLineBytes) return this.tooLong();
    try {
      into.push(JSON.parse(line));
      return undefined;
    } catch {
      // The line itself may hold document text, so it appears in no message and no log.
      return new AppError('upstream_error', `${this.limits.service} sent a line that is not valid JSON.`);
    }
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

import { Agent, type Dispatcher, request } from 'undici';
import { AppError } from '../core/errors';
import { withDeadline } from '../lib/async';
import { isCutConnection, toServiceError } from './service-error';

/**
 * The only place that opens outbound connections. Only addresses from the operator's configuration
 * get here; redirects are not followed, so a service cannot send Ivy elsewhere.
 * Deadlines are per request, so undici's own 300 s limits are off.
 */
const agent = new Agent({
  headersTimeout: 0,
  bodyTimeout: 0,
  connect: { timeout: 5_000 },
  keepAliveTimeout: 30_000,
  connections: null,
});

export interface ServiceRequest {
  /** Name for messages: "Ollama", "the knowledge agent". */
  service: string;
  url: string;
  method?: 'GET' | 'POST' | 'DELETE';
  headers?: Record<string, string>;
  body?: string;
  /** Limit until the response headers arrive. */
  firstByteMs: number;
  /** Limit between two reads of the body. */
  idleMs: number;
}

/** Sends a request and answers once the headers have arrived; the body is still to be read or dumped. */
export async function openRequest(spec: ServiceRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  const send = () =>
    request(spec.url, {
      method: spec.method ?? 'GET',
      headers: spec.headers ?? {},
      body: spec.body ?? null,
      signal,
      dispatcher: agent,
      headersTimeout: spec.firstByteMs,
      bodyTimeout: spec.idleMs,
    });
  try {
    return await againIfCut(send, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    throw toServiceError(error, spec.service, 'open');
  }
}

/** Sends once more when a kept-alive connection turns out to be closed. */
export async function againIfCut<T>(send: () => Promise<T>, signal: AbortSignal | null | undefined): Promise<T> {
  try {
    return await send();
  } catch (error) {
    if (signal?.aborted || !isCutConnection(error)) throw error;
    return send();
  }
}

/** Reads a whole body as UTF-8, up to `maxBytes`. */
export async function readCapped(
  response: Dispatcher.ResponseData,
  maxBytes: number,
  service: string,
): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body) {
      size += (chunk as Buffer).length;
      if (size > maxBytes) {
        response.body.destroy();
        throw new AppError('upstream_error', `${service} sent more data than Ivy accepts (${maxBytes} bytes).`);
      }
      chunks.push(chunk as Buffer);
    }
  } catch (error) {
    throw toServiceError(error, service);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * A `fetch` for SDKs that expect one, for short exchanges: the whole body is read under a cap and a
 * total time limit before it is handed over.
 */
export function createServiceFetch(limits: {
  service: string;
  totalMs: number;
  maxBytes: number;
  signal: AbortSignal;
}): typeof fetch {
  const { signal, totalMs: ms, service, maxBytes } = limits;
  const late = (cause: unknown) =>
    new AppError('upstream_timeout', `${service} did not answer within ${ms / 1000} s.`, { cause });
  return (input, init) =>
    withDeadline({ signal, ms, late }, async (limited) => {
      const response = await openRequest(toServiceRequest(input, init, limits), limited);
      const text = await readCapped(response, maxBytes, service);
      return new Response(text, { status: response.statusCode, headers: flatHeaders(response.headers) });
    });
}

/** What an SDK's `fetch` call asks for, as a request of ours. */
export function toServiceRequest(
  input: Parameters<typeof fetch>[0],
  init: RequestInit | undefined,
  limits: { service: string; totalMs: number },
): ServiceRequest {
  return {
    service: limits.service,
    url: input instanceof Request ? input.url : input.toString(),
    method: (init?.method ?? 'GET').toUpperCase() as 'GET',
    headers: Object.fromEntries(new Headers(init?.headers)),
    body: typeof init?.body === 'string' ? init.body : undefined,
    firstByteMs: limits.totalMs,
    idleMs: limits.totalMs,
  };
}

/** Response headers for the web `Response`, without those that described the wire form of the body. */
export function flatHeaders(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name === 'content-encoding' || name === 'content-length') continue;
    flat[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}

/** The address without user name, password and query, fit for a health page. */
export function redactUrl(url: string): string {
  try {
    const parsed = new URL(url);
    parsed.username = '';
    parsed.password = '';
    parsed.search = '';
    return parsed.toString().replace(/\/$/, '');
  } catch {
    return '(not a valid address)';
  }
}

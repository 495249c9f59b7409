import { Agent, fetch as undiciFetch } from 'undici';
import { AppError } from '../core/errors';
import { againIfCut } from './http';

const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: { timeout: 5_000 } });
const NEWLINE = 10;

/**
 * A `fetch` for SDKs that read server-sent events themselves: no redirects, no hidden 300 s limits,
 * and a cap on the length of one line, since the reader behind it buffers until a newline comes.
 */
export function createSseFetch(service: string, maxLineBytes: number): typeof fetch {
  return (async (input: string | URL, init?: RequestInit) => {
    // The SDK's `Headers` are the platform's, which undici's own fetch does not recognise as headers.
    const headers = Object.fromEntries(new Headers(init?.headers));
    const send = () => undiciFetch(input, { ...(init as object), headers, dispatcher: agent, redirect: 'error' });
    const response = await againIfCut(send, init?.signal);
    if (!response.body) return response;
    let lineBytes = 0;
    const guard = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        const last = chunk.lastIndexOf(NEWLINE);
        lineBytes = last < 0 ? lineBytes + chunk.length : chunk.length - last - 1;
        if (lineBytes > maxLineBytes) {
          throw new AppError('upstream_error', `${service} sent a line longer than Ivy accepts.`);
        }
        controller.enqueue(chunk);
      },
    });
    // undici's and the platform's stream types are the same objects under two names.
    const body = (response.body as unknown as ReadableStream<Uint8Array>).pipeThrough(guard);
    return new Response(body, { status: response.status, headers: Object.fromEntries(response.headers) });
  }) as typeof fetch;
}

import { isUtf8 } from 'node:buffer';
import { AppError } from '@/server/core/errors';
import { checkShape } from './json-shape';

/** For the OpenAI endpoints: images travel inside the body. */
export const MAX_API_BODY_BYTES = 32 * 1024 * 1024;

/** A body that is too large is read on and thrown away for so long, and up to so many times its limit. */
const DRAIN_MS = 1_000;
const DRAIN_FACTOR = 2;

/** Reads a JSON body under a cap; throws 415, 413 or 400. Next limits no body and answers bad JSON with an empty 500. */
export async function readJson(request: Request, maxBytes: number): Promise<unknown> {
  checkJsonType(request);
  const body = await readBody(request, maxBytes);
  checkShape(body);
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new AppError('invalid_request', 'The body is not valid JSON.', { cause: error });
  }
}

/** A body of another type may come from a form on some other web page. */
export function checkJsonType(request: Request): void {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type === 'application/json') return;
  throw new AppError('unsupported_media_type', 'Send the body as JSON with "content-type: application/json".');
}

/** Reads a text body in UTF-8, up to `maxBytes`, whatever its declared length. */
export async function readBody(request: Request, maxBytes: number): Promise<string> {
  const tooLarge = () =>
    new AppError('payload_too_large', `The body is larger than ${Math.round(maxBytes / 2 ** 20)} MB.`);
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  let refuseAt = Number.POSITIVE_INFINITY;
  for await (const chunk of request.body ?? []) {
    size += chunk.length;
    if (size <= maxBytes) {
      chunks.push(chunk);
      continue;
    }
    // A client that still writes reads no answer: it gets a moment to come to its end, and nothing of it is kept.
    chunks.length = 0;
    refuseAt = Math.min(refuseAt, performance.now() + DRAIN_MS);
    if (size > DRAIN_FACTOR * maxBytes || performance.now() > refuseAt) break;
  }
  if (size > maxBytes) throw tooLarge();
  const body = Buffer.concat(chunks);
  // Decoded with replacement characters, the model would read what nobody wrote.
  if (!isUtf8(body)) throw new AppError('invalid_request', 'The body is not valid UTF-8: send it in this encoding.');
  return body.toString('utf8');
}

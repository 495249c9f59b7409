import { AppError } from '@/server/core/errors';

/** For the OpenAI endpoints: images travel inside the body. */
export const MAX_API_BODY_BYTES = 32 * 1024 * 1024;
const MAX_DEPTH = 200;

/** Reads a JSON body under a cap; throws 415, 413 or 400. Next limits no body and answers bad JSON with an empty 500. */
export async function readJson(request: Request, maxBytes: number): Promise<unknown> {
  checkJsonType(request);
  const body = await readBody(request, maxBytes);
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    throw new AppError('invalid_request', 'The body is not valid JSON.', { cause: error });
  }
  checkDepth(value);
  return value;
}

/** What parses may still be too deep for everything that walks it, `JSON.stringify` first. */
function checkDepth(root: unknown): void {
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) throw new AppError('invalid_request', `The body is nested deeper than ${MAX_DEPTH} levels.`);
    level = level.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []));
  }
}

/** A body of another type may come from a form on some other web page. */
export function checkJsonType(request: Request): void {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type === 'application/json') return;
  throw new AppError('unsupported_media_type', 'Send the body as JSON with "content-type: application/json".');
}

/** Reads a text body, up to `maxBytes`, whatever its declared length. */
export async function readBody(request: Request, maxBytes: number): Promise<string> {
  const tooLarge = () =>
    new AppError('payload_too_large', `The body is larger than ${Math.round(maxBytes / 2 ** 20)} MB.`);
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

import { Readable } from 'node:stream';
import { parseRange } from '@/app/_http/range';
import { methodNotAllowed, preflight, route } from '@/app/_http/route';

/** The original, always as a download: an uploaded page must never run in Ivy's origin. */
export const GET = route<{ id: string }>('either', async ({ request, services, params, principal }) => {
  const document = await services.document(params.id, principal);
  const range = parseRange(request.headers.get('range'), document.bytes);
  if (range === null) {
    return new Response(null, { status: 416, headers: { 'content-range': `bytes */${document.bytes}` } });
  }
  const content = services.knowledge.file(params.id, range);
  return new Response(Readable.toWeb(Readable.from(content)) as ReadableStream, {
    status: range ? 206 : 200,
    headers: {
      'content-type': document.mediaType,
      'accept-ranges': 'bytes',
      ...(range && { 'content-range': `bytes ${range.start}-${range.end}/${document.bytes}` }),
      'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(document.source)}`,
      'content-security-policy': "sandbox; default-src 'none'",
    },
  });
});

export const OPTIONS = preflight;
export const POST = methodNotAllowed('GET');
export const PUT = POST;
export const PATCH = POST;
export const DELETE = POST;

import { Readable } from 'node:stream';
import { methodNotAllowed, preflight, route } from '@/app/_http/route';
import { AppError } from '@/server/core/errors';

/** The original, always as a download: an uploaded page must never run in Ivy's origin. */
export const GET = route<{ id: string }>('either', async ({ services, params, principal }) => {
  await services.document(params.id, principal);
  const file = await services.knowledge.file(params.id);
  if (!file) throw new AppError('not_found', 'This document does not exist.');
  const { document, content } = file;
  return new Response(Readable.toWeb(Readable.from(content)) as ReadableStream, {
    headers: {
      'content-type': document.mediaType,
      'content-length': String(document.bytes),
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

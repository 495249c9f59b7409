import { MAX_API_BODY_BYTES, readJson } from '@/app/_http/read-json';
import { methodNotAllowed, preflight, route } from '@/app/_http/route';
import { fromEmbeddings, toEmbeddings } from '@/server/openai/embeddings';

export const POST = route('api', async ({ request, services }) => {
  const { request: wanted, encoding } = fromEmbeddings(await readJson(request, MAX_API_BODY_BYTES));
  return Response.json(toEmbeddings(await services.embed(wanted, request.signal), wanted.model, encoding));
});

export const OPTIONS = preflight;
export const GET = methodNotAllowed('POST');
export const PUT = GET;
export const PATCH = GET;
export const DELETE = GET;

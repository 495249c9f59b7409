import { methodNotAllowed, preflight, route } from '@/app/_http/route';
import { AppError } from '@/server/core/errors';
import { toDocument } from '@/server/openai/agent-contract';

export const GET = route<{ id: string }>('either', async ({ services, params }) => {
  const document = await services.knowledge.get(params.id);
  if (!document) throw new AppError('not_found', 'This document does not exist.');
  return Response.json(toDocument(document));
});

export const DELETE = route<{ id: string }>('either', async ({ services, params, principal }) => {
  await services.removeDocument(params.id, principal);
  return new Response(null, { status: 204 });
});

export const OPTIONS = preflight;
export const POST = methodNotAllowed('GET', 'DELETE');
export const PUT = POST;
export const PATCH = POST;

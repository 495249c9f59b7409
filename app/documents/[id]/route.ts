import { methodNotAllowed, preflight, route } from '@/app/_http/route';
import { toDocument } from '@/server/openai/agent-contract';

export const GET = route<{ id: string }>('either', async ({ services, params, principal }) =>
  Response.json(toDocument(await services.document(params.id, principal))),
);

export const DELETE = route<{ id: string }>('either', async ({ services, params, principal }) => {
  await services.removeDocument(params.id, principal);
  return new Response(null, { status: 204 });
});

export const OPTIONS = preflight;
export const POST = methodNotAllowed('GET', 'DELETE');
export const PUT = POST;
export const PATCH = POST;

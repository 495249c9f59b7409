import { readJson } from '@/app/_http/read-json';
import { methodNotAllowed, preflight, route } from '@/app/_http/route';
import { searchable } from '@/server/core/run';
import { fromAgentQuery, toAgentResponse } from '@/server/openai/agent-contract';

const MAX_BODY_BYTES = 1024 * 1024;

/** The knowledge agent's contract, served from the embedded knowledge base. */
export const POST = route('api', async ({ request, services, principal }) => {
  const asked = fromAgentQuery(await readJson(request, MAX_BODY_BYTES));
  const query = { ...asked, collections: searchable(principal, asked.collections) };
  return Response.json(toAgentResponse(query.text, await services.knowledge.query(query, request.signal)));
});

export const OPTIONS = preflight;
export const GET = methodNotAllowed('POST');
export const PUT = GET;
export const PATCH = GET;
export const DELETE = GET;

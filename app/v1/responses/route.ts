import { streamRun } from '@/app/_http/event-stream';
import { MAX_API_BODY_BYTES, readJson } from '@/app/_http/read-json';
import { methodNotAllowed, preflight, route } from '@/app/_http/route';
import { withUser } from '@/server/core/run';
import { CitationWriter } from '@/server/openai/citation-writer';
import { HeaderFacts } from '@/server/openai/headers';
import { fromResponses } from '@/server/openai/responses/from-responses';
import { ResponseWriter } from '@/server/openai/responses/response-writer';
import { ResponseEncoder, toResponse } from '@/server/openai/responses/to-response';

export const POST = route('api', async ({ request, services, principal, requestId }) => {
  const body = await readJson(request, MAX_API_BODY_BYTES);
  const call = fromResponses(body, request.headers, principal.citations);
  const head = {
    id: `resp_${requestId.slice('req_'.length)}`,
    createdAt: Math.floor(Date.now() / 1000),
    model: call.request.model,
    requestId,
    echo: call.echo,
  };
  const facts = new HeaderFacts(call.ignored);
  const writer = new ResponseWriter(
    head,
    new CitationWriter(call.citations, { publicUrl: services.config.config.publicUrl, requestId }),
  );
  const events = services.answer(withUser(call.request, principal), { runId: requestId, principal }, request.signal);
  if (!call.stream) {
    return Response.json(await toResponse(events, writer, facts), { headers: facts.toHeaders() });
  }
  return streamRun(events, { encoder: new ResponseEncoder(writer), facts }, request.signal);
});

export const OPTIONS = preflight;
export const GET = methodNotAllowed('POST');
export const PUT = GET;
export const PATCH = GET;
export const DELETE = GET;

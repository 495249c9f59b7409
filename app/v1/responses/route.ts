import { streamRun } from '@/app/_http/event-stream';
import { MAX_API_BODY_BYTES, readJson } from '@/app/_http/read-json';
import { methodNotAllowed, preflight, route } from '@/app/_http/route';
import { beginRun } from '@/app/_http/run';
import { fromResponses } from '@/server/openai/responses/from-responses';
import { ResponseWriter } from '@/server/openai/responses/response-writer';
import { ResponseEncoder, toResponse } from '@/server/openai/responses/to-response';

export const POST = route('api', async (call) => {
  const { request, principal } = call;
  const body = await readJson(request, MAX_API_BODY_BYTES);
  const decoded = fromResponses(body, request.headers, principal.citations);
  const { head, facts, citations, events } = beginRun(call, decoded, 'resp_');
  const writer = new ResponseWriter({ ...head, echo: decoded.echo }, citations);
  if (!decoded.stream) {
    return Response.json(await toResponse(events, writer, facts), { headers: facts.toHeaders() });
  }
  return streamRun(events, { encoder: new ResponseEncoder(writer), facts }, request.signal);
});

export const OPTIONS = preflight;
export const GET = methodNotAllowed('POST');
export const PUT = GET;
export const PATCH = GET;
export const DELETE = GET;

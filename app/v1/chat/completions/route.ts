import { streamRun } from '@/app/_http/event-stream';
import { MAX_API_BODY_BYTES, readJson } from '@/app/_http/read-json';
import { methodNotAllowed, preflight, route } from '@/app/_http/route';
import { beginRun } from '@/app/_http/run';
import { fromChatCompletion } from '@/server/openai/from-request';
import { detectOpenWebUi } from '@/server/openai/open-webui';
import { ChunkEncoder } from '@/server/openai/to-chunks';
import { toChatCompletion } from '@/server/openai/to-completion';

export const POST = route('api', async (call) => {
  const { request, services, principal } = call;
  const body = await readJson(request, MAX_API_BODY_BYTES);
  const decoded = fromChatCompletion(body, request.headers, principal.citations);
  const openWebUi = detectOpenWebUi(request.headers);
  if (openWebUi) services.sawOpenWebUi(openWebUi.named);
  const { head, facts, citations, events } = beginRun(call, decoded, 'chatcmpl-');
  if (!decoded.stream) {
    const completion = await toChatCompletion(events, head, { facts, citations });
    return Response.json(completion, { headers: facts.toHeaders() });
  }
  const encoder = new ChunkEncoder({ ...head, includeUsage: decoded.includeUsage }, citations);
  return streamRun(events, { encoder, facts }, request.signal);
});

export const OPTIONS = preflight;
export const GET = methodNotAllowed('POST');
export const PUT = GET;
export const PATCH = GET;
export const DELETE = GET;

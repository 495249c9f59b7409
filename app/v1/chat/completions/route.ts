import { streamRun } from '@/app/_http/event-stream';
import { MAX_API_BODY_BYTES, readJson } from '@/app/_http/read-json';
import { methodNotAllowed, preflight, route } from '@/app/_http/route';
import { withUser } from '@/server/core/run';
import { CitationWriter } from '@/server/openai/citation-writer';
import { fromChatCompletion } from '@/server/openai/from-request';
import { HeaderFacts } from '@/server/openai/headers';
import { detectOpenWebUi } from '@/server/openai/open-webui';
import { ChunkEncoder } from '@/server/openai/to-chunks';
import { toChatCompletion } from '@/server/openai/to-completion';

export const POST = route('api', async ({ request, services, principal, requestId }) => {
  const call = fromChatCompletion(await readJson(request, MAX_API_BODY_BYTES), request.headers, principal.citations);
  const openWebUi = detectOpenWebUi(request.headers);
  if (openWebUi) services.sawOpenWebUi(openWebUi.named);
  const head = {
    id: `chatcmpl-${requestId.slice('req_'.length)}`,
    created: Math.floor(Date.now() / 1000),
    model: call.request.model,
    requestId,
    includeUsage: call.includeUsage,
  };
  const facts = new HeaderFacts(call.ignored);
  const citations = new CitationWriter(call.citations, { publicUrl: services.config.config.publicUrl, requestId });
  const events = services.answer(withUser(call.request, principal), { runId: requestId, principal }, request.signal);
  if (!call.stream) {
    const completion = await toChatCompletion(events, head, { facts, citations });
    return Response.json(completion, { headers: facts.toHeaders() });
  }
  return streamRun(events, { encoder: new ChunkEncoder(head, citations), facts }, request.signal);
});

export const OPTIONS = preflight;
export const GET = methodNotAllowed('POST');
export const PUT = GET;
export const PATCH = GET;
export const DELETE = GET;

import { streamRun } from '@/app/_http/event-stream';
import { MAX_API_BODY_BYTES, readJson } from '@/app/_http/read-json';
import { methodNotAllowed, preflight, route } from '@/app/_http/route';
import { withUser } from '@/server/core/run';
import { CitationWriter } from '@/server/openai/citation-writer';
import { HeaderFacts } from '@/server/openai/headers';
import { fromTextCompletion, TextChunkEncoder, toTextCompletion } from '@/server/openai/text-completion';
import { toChatCompletion } from '@/server/openai/to-completion';

export const POST = route('api', async ({ request, services, principal, requestId }) => {
  const call = fromTextCompletion(await readJson(request, MAX_API_BODY_BYTES), request.headers);
  const head = {
    id: `cmpl-${requestId.slice('req_'.length)}`,
    created: Math.floor(Date.now() / 1000),
    model: call.request.model,
    requestId,
    includeUsage: call.includeUsage,
  };
  const facts = new HeaderFacts(call.ignored);
  const events = services.answer(withUser(call.request, principal), { runId: requestId, principal }, request.signal);
  if (!call.stream) {
    const citations = new CitationWriter('none', { publicUrl: services.config.config.publicUrl, requestId });
    const completion = await toChatCompletion(events, head, { facts, citations });
    return Response.json(toTextCompletion(completion), { headers: facts.toHeaders() });
  }
  return streamRun(events, { encoder: new TextChunkEncoder(head), facts }, request.signal);
});

export const OPTIONS = preflight;
export const GET = methodNotAllowed('POST');
export const PUT = GET;
export const PATCH = GET;
export const DELETE = GET;

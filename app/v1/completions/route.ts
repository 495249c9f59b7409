import { streamRun } from '@/app/_http/event-stream';
import { MAX_API_BODY_BYTES, readJson } from '@/app/_http/read-json';
import { methodNotAllowed, preflight, route } from '@/app/_http/route';
import { beginRun } from '@/app/_http/run';
import { fromTextCompletion, TextChunkEncoder, toTextCompletion } from '@/server/openai/text-completion';
import { toChatCompletion } from '@/server/openai/to-completion';

export const POST = route('api', async (call) => {
  const { request } = call;
  const decoded = fromTextCompletion(await readJson(request, MAX_API_BODY_BYTES), request.headers);
  // The legacy form has no place for them.
  const { head, facts, citations, events } = beginRun(call, { ...decoded, citations: 'none' }, 'cmpl-');
  if (!decoded.stream) {
    const completion = await toChatCompletion(events, head, { facts, citations });
    return Response.json(toTextCompletion(completion), { headers: facts.toHeaders() });
  }
  const encoder = new TextChunkEncoder({ ...head, includeUsage: decoded.includeUsage });
  return streamRun(events, { encoder, facts }, request.signal);
});

export const OPTIONS = preflight;
export const GET = methodNotAllowed('POST');
export const PUT = GET;
export const PATCH = GET;
export const DELETE = GET;

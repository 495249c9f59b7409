import { EVENT_STREAM_HEADERS, open, toEventStream } from '@/app/_http/event-stream';
import { readJson } from '@/app/_http/read-json';
import { methodNotAllowed, preflight, route } from '@/app/_http/route';
import { fromChatCompletion } from '@/server/openai/from-request';
import { ragHeader, withoutBreaks } from '@/server/openai/headers';
import { ChunkEncoder } from '@/server/openai/to-chunks';
import { toChatCompletion } from '@/server/openai/to-completion';

/** Images travel inside the body. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

export const POST = route('api', async ({ request, services, principal, requestId }) => {
  const call = fromChatCompletion(await readJson(request, MAX_BODY_BYTES), request.headers);
  const head = {
    id: `chatcmpl-${requestId.slice('req_'.length)}`,
    created: Math.floor(Date.now() / 1000),
    model: call.request.model,
    requestId,
    includeUsage: call.includeUsage,
  };
  const headers = new Headers();
  if (call.ignored.length > 0) headers.set('x-ivy-ignored-params', withoutBreaks(call.ignored.join(', ')));
  const events = services.answer(call.request, { runId: requestId, principal }, request.signal);
  if (!call.stream) {
    const completion = await toChatCompletion(events, head);
    headers.set('x-ivy-rag', completion.ivy.rag.state);
    return Response.json(completion, { headers });
  }
  const iterator = events[Symbol.asyncIterator]();
  const opened = await open(iterator);
  const state = ragHeader(opened.batches);
  if (state) headers.set('x-ivy-rag', state);
  for (const [name, value] of Object.entries(EVENT_STREAM_HEADERS)) headers.set(name, value);
  return new Response(toEventStream(iterator, opened, new ChunkEncoder(head), request.signal), { headers });
});

export const OPTIONS = preflight;
export const GET = methodNotAllowed('POST');
export const PUT = GET;
export const PATCH = GET;
export const DELETE = GET;

import { type CitationStyle, type RunRequest, withUser } from '@/server/core/run';
import { CitationWriter } from '@/server/openai/citation-writer';
import { HeaderFacts } from '@/server/openai/headers';
import type { Call } from './route';

/** What all kinds of completions begin with. Nothing runs before the first event is read. */
export function beginRun(
  { request, services, principal, requestId }: Call<unknown>,
  decoded: { request: RunRequest; citations: CitationStyle; ignored: readonly string[] },
  /** Of the answer's id: `chatcmpl-`. */
  idPrefix: string,
) {
  const head = {
    id: idPrefix + requestId.slice('req_'.length),
    /** Seconds since 1970. */
    created: Math.floor(Date.now() / 1000),
    model: decoded.request.model,
    requestId,
  };
  const { publicUrl } = services.config.config;
  return {
    head,
    facts: new HeaderFacts(decoded.ignored),
    citations: new CitationWriter(decoded.citations, { publicUrl, requestId }),
    events: services.answers.start(
      withUser(decoded.request, principal),
      { runId: requestId, principal },
      request.signal,
    ),
  };
}

import type { RetrievalState } from '../core/knowledge';
import type { RunEvent } from '../core/run';

/** The retrieval state for `x-ivy-rag`, if it is known before the headers go out. */
export function ragHeader(batches: readonly (readonly RunEvent[])[]): RetrievalState | undefined {
  for (const batch of batches) {
    for (const event of batch) if (event.type === 'retrieval') return event.state;
  }
  return undefined;
}

/** Field names come from the client: no line break or other character that a header cannot hold gets through. */
export function withoutBreaks(value: string): string {
  return value.replace(/[^\x20-\x7e]/g, '?').slice(0, 1000);
}

import type { RetrievalState } from '../core/knowledge';
import type { RunEvent } from '../core/run';

/** How the search went and what came of it, as clients are told in `ivy.rag`. */
export interface WireRag {
  state: RetrievalState;
  /** Why, when the state is not `ok`. */
  reason: string | null;
  /** What the question names that stands in no document. */
  missing?: { identifiers: readonly string[]; words: readonly string[] };
  /** True when the passages share little with the question. */
  weak?: true;
  /** Whether the model itself cited any of the passages that it was given; absent while that is not known. */
  cited?: boolean;
  /** What did not fit into the model's context. */
  left_out?: { passages: number; messages: number };
}

/** Collects `ivy.rag` from the events of a run. */
export class RagFacts {
  private readonly rag: WireRag = { state: 'off', reason: null };
  /** True when something was learnt after the beginning of the answer. */
  changed = false;

  see(event: RunEvent): void {
    if (event.type === 'retrieval') {
      this.rag.state = event.state;
      this.rag.reason = event.reason ?? null;
      if (event.missing) this.rag.missing = event.missing;
      if (event.weak) this.rag.weak = true;
    } else if (event.type === 'step' && event.step === 'prompt') {
      const { passagesLeftOut: passages, messagesLeftOut: messages } = event.report;
      if (passages + messages > 0) this.rag.left_out = { passages, messages };
    } else if (event.type === 'evidence') {
      this.rag.cited = event.cited;
      this.changed = true;
    } else if (event.type === 'step' && event.step === 'undelivered') {
      this.rag.state = 'degraded';
      this.rag.reason = event.reason;
      this.changed = true;
    }
  }

  toWire(): WireRag {
    return { ...this.rag };
  }
}

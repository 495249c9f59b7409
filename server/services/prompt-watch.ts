import type { RunEvent } from '../core/run';

/** Remembers which models have lately not read the passages that they were sent. */
export class PromptWatch {
  private readonly reasons = new Map<string, string>();

  /** Takes note of the events of one answer; to be called with each batch. */
  watcher(): (events: readonly RunEvent[]) => void {
    let model: string | undefined;
    let passages = false;
    let failed = false;
    return (events) => {
      for (const event of events) {
        if (event.type === 'retrieval') passages = event.passages.length > 0;
        else if (event.type === 'step' && event.step === 'model') model = event.model;
        else if (event.type === 'step' && event.step === 'undelivered') {
          failed = true;
          this.reasons.set(event.model, event.reason);
        } else if (event.type === 'finish' && model !== undefined && passages && !failed) this.reasons.delete(model);
      }
    };
  }

  /** What to tell the operator. */
  get problems(): string[] {
    return [...this.reasons.values()];
  }
}

import type { RunEvent } from '../core/run';

/**
 * Counts the tokens of one answer: as the provider reports them at its end, else, when it was left before, what
 * was written until then. Local models send one token at a time, so pieces are a fair count.
 */
export class UsageMeter {
  private promptEstimate = 0;
  /** What turning the question into one that stands alone has taken. */
  private rewriting = { promptTokens: 0, completionTokens: 0 };
  private pieces = 0;
  private reported: { promptTokens: number; completionTokens: number } | undefined;
  private ended = false;

  see(events: readonly RunEvent[]): void {
    for (const event of events) {
      if (event.type === 'text-delta' || event.type === 'reasoning-delta') this.pieces += 1;
      else if (event.type === 'usage') this.reported = event.usage;
      else if (event.type === 'finish') this.ended = true;
      else if (event.type === 'step' && event.step === 'rewrite') this.rewriting = event.usage ?? this.rewriting;
      else if (event.type === 'step' && event.step === 'prompt')
        this.promptEstimate = event.report.promptTokensEstimate;
    }
  }

  /** Undefined when no model was reached. */
  get tokens(): { promptTokens: number; completionTokens: number } | undefined {
    const answer = this.answerTokens;
    if (!answer && this.rewriting.completionTokens === 0) return undefined;
    return {
      promptTokens: (answer?.promptTokens ?? 0) + this.rewriting.promptTokens,
      completionTokens: (answer?.completionTokens ?? 0) + this.rewriting.completionTokens,
    };
  }

  private get answerTokens(): { promptTokens: number; completionTokens: number } | undefined {
    if (this.ended) return this.reported;
    if (this.pieces === 0) return undefined;
    return {
      promptTokens: this.reported?.promptTokens || this.promptEstimate,
      completionTokens: Math.max(this.pieces, this.reported?.completionTokens ?? 0),
    };
  }
}

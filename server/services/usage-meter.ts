import type { RunEvent } from '../core/run';
import { UsageTally } from '../core/usage';

/**
 * Counts the tokens of one answer: as the provider reports them at its end, else, when it was left before, what
 * was written until then. Local models send one token at a time, so pieces are a fair count.
 */
export class UsageMeter {
  private promptEstimate = 0;
  private readonly reported = new UsageTally();
  private pieces = 0;
  private ended = false;

  see(events: readonly RunEvent[]): void {
    for (const event of events) {
      if (event.type === 'text-delta' || event.type === 'reasoning-delta') this.pieces += 1;
      else if (event.type === 'usage') this.reported.see(event.usage, event.call);
      else if (event.type === 'finish') this.ended = true;
      else if (event.type === 'step' && event.step === 'prompt')
        this.promptEstimate = event.report.promptTokensEstimate;
    }
  }

  /** Undefined when no model was reached. */
  get tokens(): { promptTokens: number; completionTokens: number } | undefined {
    const answer = this.answerTokens;
    const others = this.reported.of(['rewrite', 'second-look']);
    if (!answer && !others) return undefined;
    return {
      promptTokens: (answer?.promptTokens ?? 0) + (others?.promptTokens ?? 0),
      completionTokens: (answer?.completionTokens ?? 0) + (others?.completionTokens ?? 0),
    };
  }

  private get answerTokens(): { promptTokens: number; completionTokens: number } | undefined {
    const reported = this.reported.of(['answer']);
    if (this.ended) return reported;
    if (this.pieces === 0) return undefined;
    return {
      promptTokens: reported?.promptTokens || this.promptEstimate,
      completionTokens: Math.max(this.pieces, reported?.completionTokens ?? 0),
    };
  }
}

import { AppError } from '../core/errors';
import type { Principal } from '../core/run';

/** Answers under way at once, for all callers together and for one key. */
const MAX_RUNS = 1_000;
const MAX_RUNS_PER_KEY = 500;
const RETRY_SECONDS = 5;

/** Counts answers under way, so that no caller can take all of the server. */
export class RunLimits {
  private total = 0;
  private readonly byKey = new Map<string, number>();

  /** Throws 429 beyond the limits; what it answers is to be called once, when the answer is over. */
  enter({ id, kind }: Principal): () => void {
    const own = this.byKey.get(id) ?? 0;
    if (this.total >= MAX_RUNS) throw busy(`Ivy is writing ${MAX_RUNS} answers already. Try again in a moment.`);
    if (kind === 'key' && own >= MAX_RUNS_PER_KEY) {
      throw busy(`This key has ${MAX_RUNS_PER_KEY} answers under way already. Try again in a moment.`);
    }
    this.total += 1;
    this.byKey.set(id, own + 1);
    return () => {
      this.total -= 1;
      const left = (this.byKey.get(id) ?? 1) - 1;
      if (left > 0) this.byKey.set(id, left);
      else this.byKey.delete(id);
    };
  }
}

function busy(message: string): AppError {
  return new AppError('rate_limit_exceeded', message, { retryAfterSeconds: RETRY_SECONDS });
}

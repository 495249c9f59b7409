import { AppError } from '../core/errors';
import type { Principal } from '../core/run';

/** Answers under way at once, for all callers together and for one key. */
const MAX_RUNS = 1_000;
const MAX_RUNS_PER_KEY = 500;
/** Of one end user behind a client that speaks for many. */
const MAX_RUNS_PER_USER = 20;
const RETRY_SECONDS = 5;

/** Counts answers under way, so that no caller can take all of the server. */
export class RunLimits {
  private total = 0;
  /** By key, and by key and end user. */
  private readonly running = new Map<string, number>();

  /** Throws 429 beyond the limits; what it answers is to be called once, when the answer is over. */
  enter({ id, kind, user }: Principal): () => void {
    const mine = user === undefined ? [id] : [id, `${id} ${user}`];
    const [own = 0, users = 0] = mine.map((name) => this.running.get(name) ?? 0);
    if (this.total >= MAX_RUNS) throw busy(`Ivy is writing ${MAX_RUNS} answers already. Try again in a moment.`);
    if (kind === 'key' && own >= MAX_RUNS_PER_KEY) {
      throw busy(`This key has ${MAX_RUNS_PER_KEY} answers under way already. Try again in a moment.`);
    }
    if (users >= MAX_RUNS_PER_USER) {
      throw busy(`This user has ${MAX_RUNS_PER_USER} answers under way already. Try again in a moment.`);
    }
    this.total += 1;
    for (const name of mine) this.running.set(name, (this.running.get(name) ?? 0) + 1);
    return () => {
      this.total -= 1;
      for (const name of mine) {
        const left = (this.running.get(name) ?? 1) - 1;
        if (left > 0) this.running.set(name, left);
        else this.running.delete(name);
      }
    };
  }
}

function busy(message: string): AppError {
  return new AppError('rate_limit_exceeded', message, { retryAfterSeconds: RETRY_SECONDS });
}

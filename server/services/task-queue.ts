import { sleep } from '../lib/async';

/** A title request arrives just before the question it is about: the question gets this long to overtake it. */
const GRACE_MS = 250;
/** Under constant load chores still get their turn. */
const MAX_WAIT_MS = 60_000;

/** Chores that nobody waits for; the others (a search query, a tool call) come before somebody's question, or are the answer. */
const CAN_WAIT = new Set([
  'background',
  'title_generation',
  'tags_generation',
  'follow_up_generation',
  'emoji_generation',
  'memory_review',
]);

export function canWait(task: string): boolean {
  return CAN_WAIT.has(task);
}

/**
 * Lets chores (titles, tags, follow-ups) of a client wait until no question is being answered, one at a time: a
 * local model often has a single slot, and the person is waiting for the answer, not for its title.
 */
export class TaskQueue {
  private questions = 0;
  private turn: Promise<void> = Promise.resolve();
  private readonly idle = new Set<() => void>();

  /** To be called when a question starts; the result, once, when its answer is over. */
  question(): () => void {
    this.questions += 1;
    return () => {
      this.questions -= 1;
      if (this.questions === 0) for (const wake of [...this.idle]) wake();
    };
  }

  /** Resolves when a chore may start; what it resolves to is to be called when it is over. Rejects when the signal aborts. */
  async task(signal: AbortSignal): Promise<() => void> {
    let leave = () => {};
    const before = this.turn;
    this.turn = new Promise((resolve) => {
      leave = resolve;
    });
    // Whoever gives up hands the turn on only when it was its own.
    const giveUp = () => void before.then(leave);
    try {
      await Promise.race([before, aborted(signal)]);
      await sleep(GRACE_MS, signal);
      if (this.questions > 0) await Promise.race([this.nobodyAsks(), sleep(MAX_WAIT_MS, signal)]);
      return leave;
    } catch (error) {
      giveUp();
      throw error;
    }
  }

  private nobodyAsks(): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.idle.delete(wake);
        resolve();
      };
      this.idle.add(wake);
    });
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

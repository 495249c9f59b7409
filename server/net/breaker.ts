import { AppError } from '../core/errors';

const FAILURES = 5;
const WINDOW_MS = 30_000;
const OPEN_MS = 15_000;

/**
 * Spares callers the wait for a dependency that fails again and again: after five failures within 30 s
 * it is left alone for 15 s, then one call tries whether it is back.
 */
export class Breaker {
  private failures: number[] = [];
  private openUntil = 0;

  constructor(
    private readonly service: string,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Runs `call` unless the dependency is being left alone. `counts` tells which errors mean that it is not well. */
  async run<T>(call: () => Promise<T>, counts: (error: unknown) => boolean): Promise<T> {
    if (this.now() < this.openUntil) {
      throw new AppError(
        'provider_unavailable',
        `${this.service} failed several times just now and is being left alone.`,
        {
          retryAfterSeconds: Math.ceil((this.openUntil - this.now()) / 1000),
        },
      );
    }
    try {
      const result = await call();
      this.failures = [];
      return result;
    } catch (error) {
      if (counts(error)) this.failed();
      throw error;
    }
  }

  private failed(): void {
    const now = this.now();
    this.failures = [...this.failures.filter((at) => at > now - WINDOW_MS), now];
    // After the pause a single failure is enough to pause again: the failures before it still count.
    if (this.failures.length >= FAILURES) this.openUntil = now + OPEN_MS;
  }
}

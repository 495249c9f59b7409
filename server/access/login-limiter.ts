import { AppError } from '../core/errors';

const FREE_FAILURES = 5;
const MAX_LOCK_MS = 15 * 60_000;

/** Slows down guessing: after five wrong passwords each further one doubles the pause, up to 15 minutes. */
export class LoginLimiter {
  private failures = 0;
  private lockedUntil = 0;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Throws 429 while locked, before any password is looked at. */
  check(): void {
    const waitMs = this.lockedUntil - this.now();
    if (waitMs <= 0) return;
    const retryAfterSeconds = Math.ceil(waitMs / 1000);
    throw new AppError('rate_limit_exceeded', `Too many wrong passwords. Try again in ${retryAfterSeconds} s.`, {
      retryAfterSeconds,
    });
  }

  failed(): void {
    this.failures += 1;
    if (this.failures < FREE_FAILURES) return;
    this.lockedUntil = this.now() + Math.min(MAX_LOCK_MS, 1000 * 2 ** (this.failures - FREE_FAILURES + 1));
  }

  succeeded(): void {
    this.failures = 0;
  }
}

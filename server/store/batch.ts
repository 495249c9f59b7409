import { Serial } from '../lib/serial';

/** How long a row waits for others. */
const WAIT_MS = 25;

/**
 * Rows that come one by one and are written together. Each write waits for the disk and holds up the event loop
 * meanwhile; written for every answer they took a quarter of its time. A crash may cost the rows of the last moment.
 */
export class Batch<T> {
  private readonly writes = new Serial();
  private waiting: T[] = [];
  private latest: Promise<void> = Promise.resolve();
  private endWait = () => {};

  constructor(private readonly write: (rows: readonly T[]) => Promise<unknown>) {}

  /** Resolves when the row is written; rejects when it and those beside it could not be. */
  add(row: T): Promise<void> {
    if (this.waiting.push(row) === 1) this.latest = this.writeSoon();
    return this.latest;
  }

  /** Writes what waits, and waits for what is being written. Of a failure those hear who added the rows. */
  async flush(): Promise<void> {
    this.endWait();
    await this.latest.catch(() => {});
  }

  private async writeSoon(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, WAIT_MS);
      this.endWait = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    await this.writes.run(() => {
      const rows = this.waiting;
      this.waiting = [];
      return this.write(rows);
    });
  }
}

import { Batch } from './batch';
import type { Database } from './database';

const DAY_MS = 86_400_000;
/** SQLite takes so many values in one statement. */
const AT_ONCE = 500;

/** Fingerprints of the markers that answers were given out with, so that they are known again when a client sends an answer back. */
export class MarkerRepository {
  private readonly batch = new Batch<readonly string[]>((lists) => this.insert(lists.flat()));

  constructor(private readonly database: Database) {}

  add(fingerprints: readonly string[]): Promise<void> {
    return fingerprints.length === 0 ? Promise.resolve() : this.batch.add(fingerprints);
  }

  /** Those of the given ones that are kept. */
  async known(fingerprints: readonly string[]): Promise<ReadonlySet<string>> {
    await this.batch.flush();
    const known = new Set<string>();
    for (let at = 0; at < fingerprints.length; at += AT_ONCE) {
      const rows = await this.database
        .selectFrom('markers')
        .select('fingerprint')
        .where('fingerprint', 'in', fingerprints.slice(at, at + AT_ONCE))
        .execute();
      for (const { fingerprint } of rows) known.add(fingerprint);
    }
    return known;
  }

  flush(): Promise<void> {
    return this.batch.flush();
  }

  /** Removes what is older. */
  async trim(days: number): Promise<void> {
    await this.database
      .deleteFrom('markers')
      .where('issued_at', '<=', Date.now() - days * DAY_MS)
      .execute();
  }

  private async insert(fingerprints: readonly string[]): Promise<void> {
    const issued_at = Date.now();
    for (let at = 0; at < fingerprints.length; at += AT_ONCE) {
      await this.database
        .insertInto('markers')
        .values(fingerprints.slice(at, at + AT_ONCE).map((fingerprint) => ({ fingerprint, issued_at })))
        .onConflict((conflict) => conflict.column('fingerprint').doUpdateSet({ issued_at }))
        .execute();
    }
  }
}

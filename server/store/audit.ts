import { createId } from '../lib/ids';
import type { Database } from './database';

/** Who changed what and when; never holds a secret or content. */
export class AuditRepository {
  constructor(private readonly database: Database) {}

  async record(actor: string, action: string, detail: string): Promise<void> {
    await this.database
      .insertInto('audit')
      .values({ id: createId('aud'), at: Date.now(), actor, action, detail })
      .execute();
  }

  /** Newest first. */
  async recent(limit: number): Promise<{ at: number; actor: string; action: string; detail: string }[]> {
    return this.database
      .selectFrom('audit')
      .select(['at', 'actor', 'action', 'detail'])
      .orderBy('at', 'desc')
      .limit(limit)
      .execute();
  }
}

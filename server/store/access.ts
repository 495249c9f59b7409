import type { Database } from './database';

export interface StoredKey {
  id: string;
  name: string;
}

/** API keys and sessions, known by digest only. */
export class AccessRepository {
  constructor(private readonly database: Database) {}

  async keyByDigest(digest: string): Promise<StoredKey | undefined> {
    return this.database.selectFrom('api_keys').select(['id', 'name']).where('digest', '=', digest).executeTakeFirst();
  }

  async keyCount(): Promise<number> {
    const row = await this.database
      .selectFrom('api_keys')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    return Number(row.count);
  }

  /** Makes the configured bootstrap keys exactly these: new ones are added, withdrawn ones end at once. */
  async syncKeys(keys: readonly { id: string; name: string; digest: string }[]): Promise<void> {
    await this.database.transaction().execute(async (trx) => {
      const digests = keys.map((key) => key.digest);
      let withdrawn = trx.deleteFrom('api_keys').where('name', 'like', 'IVY_API_KEYS%');
      if (digests.length > 0) withdrawn = withdrawn.where('digest', 'not in', digests);
      await withdrawn.execute();
      for (const key of keys) {
        await trx
          .insertInto('api_keys')
          .values({ ...key, created_at: Date.now(), last_used_at: null })
          .onConflict((conflict) => conflict.column('digest').doNothing())
          .execute();
      }
    });
  }

  async addSession(digest: string, expiresAt: number): Promise<void> {
    await this.database
      .insertInto('sessions')
      .values({ digest, created_at: Date.now(), expires_at: expiresAt })
      .execute();
  }

  async sessionExists(digest: string, now: number): Promise<boolean> {
    const row = await this.database
      .selectFrom('sessions')
      .select('digest')
      .where('digest', '=', digest)
      .where('expires_at', '>', now)
      .executeTakeFirst();
    return row !== undefined;
  }

  async removeSession(digest: string): Promise<void> {
    await this.database.deleteFrom('sessions').where('digest', '=', digest).execute();
  }

  /** Ends every session, as a changed password must. */
  async removeAllSessions(): Promise<void> {
    await this.database.deleteFrom('sessions').execute();
  }

  async removeExpiredSessions(now: number): Promise<void> {
    await this.database.deleteFrom('sessions').where('expires_at', '<=', now).execute();
  }
}

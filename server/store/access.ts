import { CITATION_STYLES, type CitationStyle } from '../core/run';
import type { Database } from './database';

export interface StoredKey {
  id: string;
  name: string;
  hint: string;
  citations: CitationStyle | null;
  trustsUsers: boolean;
  collections: readonly string[] | null;
}

/** API keys and sessions, known by digest only. */
export class AccessRepository {
  constructor(private readonly database: Database) {}

  async keyByDigest(digest: string): Promise<StoredKey | undefined> {
    const row = await this.database
      .selectFrom('api_keys')
      .select(['id', 'name', 'hint', 'citations', 'trusts_users', 'collections'])
      .where('digest', '=', digest)
      .executeTakeFirst();
    return row && toStoredKey(row);
  }

  async keys(): Promise<StoredKey[]> {
    const rows = await this.database
      .selectFrom('api_keys')
      .select(['id', 'name', 'hint', 'citations', 'trusts_users', 'collections'])
      .orderBy('name')
      .execute();
    return rows.map(toStoredKey);
  }

  /** False when there is no such key. */
  async setKey(id: string, change: Pick<StoredKey, 'citations' | 'trustsUsers' | 'collections'>): Promise<boolean> {
    const result = await this.database
      .updateTable('api_keys')
      .set({
        citations: change.citations,
        trusts_users: Number(change.trustsUsers),
        collections: change.collections && JSON.stringify(change.collections),
      })
      .where('id', '=', id)
      .executeTakeFirst();
    return result.numUpdatedRows > 0n;
  }

  async keyCount(): Promise<number> {
    const row = await this.database
      .selectFrom('api_keys')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    return Number(row.count);
  }

  /** Makes the configured bootstrap keys exactly these: new ones are added, withdrawn ones end at once. */
  async syncKeys(keys: readonly { id: string; name: string; hint: string; digest: string }[]): Promise<void> {
    await this.database.transaction().execute(async (trx) => {
      const digests = keys.map((key) => key.digest);
      let withdrawn = trx.deleteFrom('api_keys').where('name', 'like', 'IVY_API_KEYS%');
      if (digests.length > 0) withdrawn = withdrawn.where('digest', 'not in', digests);
      await withdrawn.execute();
      for (const key of keys) {
        await trx
          .insertInto('api_keys')
          .values({
            ...key,
            citations: null,
            trusts_users: 0,
            collections: null,
            created_at: Date.now(),
            last_used_at: null,
          })
          // What was set for the key stays.
          .onConflict((conflict) => conflict.column('digest').doUpdateSet({ name: key.name, hint: key.hint }))
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

/** A style that a later version wrote and this one does not know counts as none. */
function toStoredKey({
  trusts_users,
  ...row
}: {
  id: string;
  name: string;
  hint: string;
  citations: string | null;
  trusts_users: number;
  collections: string | null;
}): StoredKey {
  const citations = CITATION_STYLES.find((style) => style === row.citations) ?? null;
  const collections = row.collections === null ? null : (JSON.parse(row.collections) as string[]);
  return { ...row, citations, trustsUsers: trusts_users === 1, collections };
}

import { Batch } from './batch';
import type { Database } from './database';

export interface UsageRow {
  /** `2026-11-24`, in UTC. */
  day: string;
  /** Name of the key, or of the kind of access. */
  caller: string;
  /** End user as a trusted client named them; empty when nobody did. */
  user: string;
  /** As the client wrote it. */
  model: string;
  answers: number;
  promptTokens: number;
  completionTokens: number;
}

/** Answers and tokens by day, caller, end user and model. */
export class UsageRepository {
  private readonly batch = new Batch<UsageRow>((rows) => this.insert(rows));

  constructor(private readonly database: Database) {}

  /** Counted within a moment, together with others; readers see it at once. */
  add(row: UsageRow): Promise<void> {
    return this.batch.add(row);
  }

  flush(): Promise<void> {
    return this.batch.flush();
  }

  /** Newest day first, at most `limit` rows. */
  async recent(limit: number): Promise<UsageRow[]> {
    await this.flush();
    const rows = await this.database
      .selectFrom('usage')
      .selectAll()
      .orderBy('day', 'desc')
      .orderBy('completion_tokens', 'desc')
      .limit(limit)
      .execute();
    return rows.map(({ prompt_tokens: promptTokens, completion_tokens: completionTokens, ...row }) => ({
      ...row,
      promptTokens,
      completionTokens,
    }));
  }

  private async insert(rows: readonly UsageRow[]): Promise<void> {
    await this.database
      .insertInto('usage')
      .values(
        rows.map(({ promptTokens, completionTokens, ...row }) => ({
          ...row,
          prompt_tokens: promptTokens,
          completion_tokens: completionTokens,
        })),
      )
      .onConflict((conflict) =>
        conflict.columns(['day', 'caller', 'user', 'model']).doUpdateSet(({ ref, eb }) => ({
          answers: eb(ref('usage.answers'), '+', ref('excluded.answers')),
          prompt_tokens: eb(ref('usage.prompt_tokens'), '+', ref('excluded.prompt_tokens')),
          completion_tokens: eb(ref('usage.completion_tokens'), '+', ref('excluded.completion_tokens')),
        })),
      )
      .execute();
  }
}

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
  constructor(private readonly database: Database) {}

  async add(row: UsageRow): Promise<void> {
    const { day, caller, user, model, answers, promptTokens, completionTokens } = row;
    await this.database
      .insertInto('usage')
      .values({ day, caller, user, model, answers, prompt_tokens: promptTokens, completion_tokens: completionTokens })
      .onConflict((conflict) =>
        conflict.columns(['day', 'caller', 'user', 'model']).doUpdateSet(({ ref, eb }) => ({
          answers: eb(ref('usage.answers'), '+', answers),
          prompt_tokens: eb(ref('usage.prompt_tokens'), '+', promptTokens),
          completion_tokens: eb(ref('usage.completion_tokens'), '+', completionTokens),
        })),
      )
      .execute();
  }

  /** Newest day first, at most `limit` rows. */
  async recent(limit: number): Promise<UsageRow[]> {
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
}

import type { RunRecord, RunSummary } from '../core/run-record';
import type { Database } from './database';

/** The table is trimmed once in this many records. */
const TRIM_EVERY = 100;
const DAY_MS = 86_400_000;

/** What was asked and answered, for as long as the operator wants it kept. */
export class RunRepository {
  private saved = 0;

  constructor(private readonly database: Database) {}

  async save(record: RunRecord, retentionDays: number): Promise<void> {
    const row = {
      id: record.id,
      at: record.at,
      summary: JSON.stringify(toSummary(record)),
      record: JSON.stringify(record),
    };
    await this.database
      .insertInto('runs')
      .values(row)
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute();
    this.saved += 1;
    if (this.saved % TRIM_EVERY === 0) await this.trim(retentionDays);
  }

  async get(id: string): Promise<RunRecord | undefined> {
    const row = await this.database.selectFrom('runs').select('record').where('id', '=', id).executeTakeFirst();
    return row && (JSON.parse(row.record) as RunRecord);
  }

  /** Newest first, those before the time `before` when it is given. */
  async list(limit: number, before?: number): Promise<RunSummary[]> {
    let query = this.database.selectFrom('runs').select('summary').orderBy('at', 'desc').limit(limit);
    if (before !== undefined) query = query.where('at', '<', before);
    return (await query.execute()).map(({ summary }) => JSON.parse(summary) as RunSummary);
  }

  /** Removes what is older; all of it for 0 days. */
  async trim(retentionDays: number): Promise<void> {
    await this.database
      .deleteFrom('runs')
      .where('at', '<=', Date.now() - retentionDays * DAY_MS)
      .execute();
  }
}

function toSummary({ id, at, caller, model, question, totalMs, error, retrieval, evidence }: RunRecord): RunSummary {
  const doubtful = evidence.filter(({ supported }) => supported === false).length;
  return {
    id,
    at,
    caller,
    model,
    question: question.slice(0, 300),
    totalMs,
    error,
    state: retrieval?.state ?? null,
    doubtful,
  };
}

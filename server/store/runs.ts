import { type EvidenceOutcome, isDoubtful } from '../core/run';
import type { RunRecord, RunSummary } from '../core/run-record';
import { Batch } from './batch';
import type { Database } from './database';

const DAY_MS = 86_400_000;

/** What was asked and answered, for as long as the operator wants it kept. */
export class RunRepository {
  private readonly batch = new Batch<RunRecord>((records) => this.insert(records));

  constructor(private readonly database: Database) {}

  /** Kept within a moment, together with others; readers see it at once. */
  save(record: RunRecord): Promise<void> {
    return this.batch.add(record);
  }

  flush(): Promise<void> {
    return this.batch.flush();
  }

  async get(id: string): Promise<RunRecord | undefined> {
    await this.flush();
    const row = await this.database.selectFrom('runs').select('record').where('id', '=', id).executeTakeFirst();
    return row && fromStored(row.record);
  }

  /** Newest first, those that follow the record `after` when it is given. */
  async list(limit: number, after?: { at: number; id: string }): Promise<RunSummary[]> {
    await this.flush();
    let query = this.database
      .selectFrom('runs')
      .select('summary')
      .orderBy('at', 'desc')
      .orderBy('id', 'desc')
      .limit(limit);
    if (after) {
      const { at, id } = after;
      query = query.where((is) => is.or([is('at', '<', at), is.and([is('at', '=', at), is('id', '<', id)])]));
    }
    return (await query.execute()).map(({ summary }) => JSON.parse(summary) as RunSummary);
  }

  /** Removes what is older; all of it for 0 days. */
  async trim(retentionDays: number): Promise<void> {
    await this.flush();
    await this.database
      .deleteFrom('runs')
      .where('at', '<=', Date.now() - retentionDays * DAY_MS)
      .execute();
  }

  private async insert(records: readonly RunRecord[]): Promise<void> {
    const rows = records.map((record) => ({
      id: record.id,
      at: record.at,
      summary: JSON.stringify(toSummary(record)),
      record: JSON.stringify(record),
    }));
    await this.database
      .insertInto('runs')
      .values(rows)
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute();
  }
}

function toSummary({ id, at, caller, model, question, totalMs, error, retrieval, evidence }: RunRecord): RunSummary {
  const doubtful = evidence.filter(isDoubtful).length;
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

/** Records of the first version say `supported` of a sentence instead of its outcome. */
function fromStored(json: string): RunRecord {
  const record = JSON.parse(json) as RunRecord;
  const evidence = record.evidence.map((sentence) => {
    if (sentence.outcome !== undefined) return sentence;
    const { supported, ...rest } = sentence as typeof sentence & { supported?: boolean | null };
    const outcome: EvidenceOutcome = supported === true ? 'supported' : supported === false ? 'differs' : 'unknown';
    return { ...rest, outcome };
  });
  return { ...record, evidence, conflicts: record.conflicts ?? [] };
}

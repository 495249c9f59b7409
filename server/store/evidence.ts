import type { CitedPassage } from '../core/knowledge';
import type { Database } from './database';

/** Runs kept; the oldest go first. */
const MAX_RUNS = 10_000;
const MAX_TEXT_CHARS = 8_000;
/** The table is trimmed once in this many runs. */
const TRIM_EVERY = 100;

/**
 * Passages of an external agent as they were when an answer cited them: Ivy does not have the documents,
 * so this is what a citation's link shows.
 */
export class EvidenceRepository {
  private saved = 0;

  constructor(private readonly database: Database) {}

  async save(runId: string, passages: readonly CitedPassage[]): Promise<void> {
    if (passages.length === 0) return;
    const rows = passages.map((passage) => ({
      run_id: runId,
      n: passage.n,
      passage: JSON.stringify({ ...passage, text: passage.text?.slice(0, MAX_TEXT_CHARS) }),
      created_at: Date.now(),
    }));
    await this.database.insertInto('evidence').values(rows).execute();
    this.saved += 1;
    if (this.saved % TRIM_EVERY === 0) await this.trim();
  }

  async find(runId: string, n: number): Promise<CitedPassage | undefined> {
    const row = await this.database
      .selectFrom('evidence')
      .select('passage')
      .where('run_id', '=', runId)
      .where('n', '=', n)
      .executeTakeFirst();
    return row && (JSON.parse(row.passage) as CitedPassage);
  }

  private async trim(): Promise<void> {
    const oldest = await this.database
      .selectFrom('evidence')
      .select(({ fn }) => fn.max('created_at').as('at'))
      .groupBy('run_id')
      .orderBy('at', 'desc')
      .offset(MAX_RUNS)
      .limit(1)
      .executeTakeFirst();
    if (oldest) await this.database.deleteFrom('evidence').where('created_at', '<=', oldest.at).execute();
  }
}

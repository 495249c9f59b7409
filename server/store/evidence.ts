import type { CitedPassage } from '../core/knowledge';
import type { Database } from './database';

const MAX_TEXT_CHARS = 8_000;
const DAY_MS = 86_400_000;

/**
 * Passages of an external agent as they were when an answer cited them: Ivy does not have the documents,
 * so this is what a citation's link shows.
 */
export class EvidenceRepository {
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

  /** Removes what is older. */
  async trim(days: number): Promise<void> {
    await this.database
      .deleteFrom('evidence')
      .where('created_at', '<=', Date.now() - days * DAY_MS)
      .execute();
  }
}

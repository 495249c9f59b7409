import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { Kysely, Migrator, type SqliteDatabase, SqliteDialect } from 'kysely';
import { migrations } from './migrations';
import type { Schema } from './schema';

export type Database = Kysely<Schema>;

/**
 * Opens (and creates or migrates) the state database. WAL with synchronous=FULL: what was
 * acknowledged survives a crash of the process and of the machine.
 */
export async function openDatabase(path: string): Promise<Database> {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
  const sqlite = new DatabaseSync(path);
  const damage = damageOf(() => {
    sqlite.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON; ' +
        // What is deleted is overwritten.
        'PRAGMA secure_delete = ON;',
    );
    return (sqlite.prepare('PRAGMA quick_check(1)').get() as { quick_check: string }).quick_check;
  });
  if (damage)
    throw new Error(`The state database ${path} is damaged (${damage}). Restore a backup of the data folder.`);
  const database = new Kysely<Schema>({ dialect: new SqliteDialect({ database: toKysely(sqlite) }) });
  const migrator = new Migrator({ db: database, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error) throw error;
  return database;
}

/** Kysely expects better-sqlite3's statement form: `reader` and one array of parameters. */
function toKysely(sqlite: InstanceType<typeof DatabaseSync>): SqliteDatabase {
  return {
    close: () => {
      // Statements that are still prepared keep SQLite from doing this by itself: after a stop, all is in one file.
      sqlite.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      sqlite.close();
    },
    prepare(sql) {
      const statement = sqlite.prepare(sql);
      type Values = Parameters<typeof statement.all>;
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...(parameters as Values)),
        run: (parameters) => statement.run(...(parameters as Values)),
        iterate: (parameters) => statement.iterate(...(parameters as Values)) as IterableIterator<unknown>,
      };
    },
  };
}

/** What is wrong with a database; some damage already keeps the check from running. */
function damageOf(check: () => string): string | undefined {
  try {
    const found = check();
    return found === 'ok' ? undefined : found;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    if (/malformed|not a database|corrupt/i.test(said)) return said;
    throw error;
  }
}

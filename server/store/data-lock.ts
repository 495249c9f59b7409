import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';

/**
 * Holds a data folder for this process alone, by an exclusive lock on a file in it that the system
 * lets go when the process ends, however it ends. Throws when another process holds it.
 */
export function lockDataFolder(path: string): { release(): void } {
  mkdirSync(dirname(path), { recursive: true });
  const lock = new DatabaseSync(path);
  try {
    lock.exec('PRAGMA busy_timeout = 2000; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;');
  } catch (error) {
    lock.close();
    throw new Error(
      `Another Ivy uses the data folder ${dirname(path)}. Stop it, or give this one a folder of its own with IVY_DATA_DIR.`,
      { cause: error },
    );
  }
  return { release: () => lock.close() };
}

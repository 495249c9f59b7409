import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../testing/collect';
import { openDatabase } from './database';
import { SettingsRepository } from './settings';

test('a damaged database is not opened, and the message says what to do', async () => {
  const path = join(temporaryFolder(), 'ivy.db');
  const database = await openDatabase(path);
  const settings = new SettingsRepository(database);
  for (let n = 0; n < 200; n++) await settings.set(`setting ${n}`, 'x'.repeat(500));
  await database.destroy();
  const bytes = readFileSync(path);
  // Every page but the first, whose header says that this is a database at all.
  for (let at = 4_200; at < bytes.length; at += 97) bytes[at] = (bytes[at] ?? 0) ^ 0xff;
  writeFileSync(path, bytes);
  await expect(openDatabase(path)).rejects.toThrow(/^The state database .* is damaged .* Restore a backup/s);
});

test('a log of changes that is damaged costs the changes in it at most', async () => {
  const path = join(temporaryFolder(), 'ivy.db');
  const copy = join(temporaryFolder(), 'ivy.db');
  const database = await openDatabase(path);
  const settings = new SettingsRepository(database);
  await settings.set('first', 'kept');
  // As after a kill: the log still holds what the file does not.
  writeFileSync(copy, readFileSync(path));
  const log = readFileSync(`${path}-wal`);
  for (let at = log.length - 3_000; at < log.length; at += 7) log[at] = (log[at] ?? 0) ^ 0xff;
  writeFileSync(`${copy}-wal`, log);
  const later = await openDatabase(copy);
  await new SettingsRepository(later).set('second', 'works');
  expect(await new SettingsRepository(later).get('second')).toBe('works');
  await later.destroy();
  await database.destroy();
});

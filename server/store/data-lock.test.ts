import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../testing/collect';
import { lockDataFolder } from './data-lock';

test('a data folder belongs to one process at a time', () => {
  const path = join(temporaryFolder(), 'ivy.lock');
  const first = lockDataFolder(path);
  expect(() => lockDataFolder(path)).toThrow(/Another Ivy uses the data folder/);
  first.release();
  lockDataFolder(path).release();
});

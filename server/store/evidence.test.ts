import { expect, test, vi } from 'vitest';
import { cited } from '../testing/requests';
import { openDatabase } from './database';
import { EvidenceRepository } from './evidence';

test('passages are found again by run and number, long texts cut, nothing else', async () => {
  const evidence = new EvidenceRepository(await openDatabase(':memory:'));
  await evidence.save('req_1', [cited(1), cited(2, { text: 'x'.repeat(20_000), documentId: undefined })]);
  await evidence.save('req_2', []);
  expect(await evidence.find('req_1', 1)).toEqual(cited(1));
  expect((await evidence.find('req_1', 2))?.text).toHaveLength(8_000);
  expect(await evidence.find('req_1', 3)).toBeUndefined();
  expect(await evidence.find('req_2', 1)).toBeUndefined();
});

test('old passages are removed, newer ones stay', async () => {
  const evidence = new EvidenceRepository(await openDatabase(':memory:'));
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3 * 86_400_000 });
  await evidence.save('req_old', [cited(1)]);
  vi.useRealTimers();
  await evidence.save('req_new', [cited(1)]);
  await evidence.trim(2);
  expect(await evidence.find('req_old', 1)).toBeUndefined();
  expect(await evidence.find('req_new', 1)).toBeDefined();
});

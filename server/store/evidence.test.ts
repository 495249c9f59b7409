import { expect, test } from 'vitest';
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

import { expect, test } from 'vitest';
import { Batch } from './batch';

test('rows of one moment are written together, in order, and each hears when', async () => {
  const written: number[][] = [];
  const batch = new Batch<number>(async (rows) => written.push([...rows]));
  const added = [batch.add(1), batch.add(2)];
  expect(written).toEqual([]);
  await Promise.all(added);
  expect(written).toEqual([[1, 2]]);
  await batch.add(3);
  expect(written).toEqual([[1, 2], [3]]);
});

test('a flush writes what waits at once, after what is being written', async () => {
  const written: number[][] = [];
  let finish = () => {};
  const batch = new Batch<number>(async (rows) => {
    if (rows.includes(1)) await new Promise<void>((resolve) => (finish = resolve));
    written.push([...rows]);
  });
  void batch.add(1);
  const first = batch.flush();
  await new Promise(setImmediate);
  void batch.add(2);
  const second = batch.flush();
  void batch.add(3);
  finish();
  await Promise.all([first, second]);
  expect(written).toEqual([[1], [2, 3]]);
  await batch.flush();
  expect(written.length).toBe(2);
});

test('a failure is told to those whose rows it cost, and ends nothing', async () => {
  let broken = true;
  const batch = new Batch<number>(async () => {
    if (broken) throw new Error('disk full');
  });
  const lost = [batch.add(1), batch.add(2)];
  await batch.flush();
  expect((await Promise.allSettled(lost)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  broken = false;
  await batch.add(3);
});

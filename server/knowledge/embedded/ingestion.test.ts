import { expect, test, vi } from 'vitest';
import type { DocumentInfo } from '../../core/knowledge';
import { openDatabase } from '../../store/database';
import { DocumentRepository } from '../../store/documents';
import { temporaryFolder } from '../../testing/collect';
import type { FileStore } from './file-store';
import { Ingestion } from './ingestion';
import { UnreadableDocument } from './parsed';
import { type ParserProcess, TakesLong } from './parser-process';
import type { PassageStore } from './passage-store';

/** Ingestion over the real database, with an index that fails when the test says so. */
async function setUp(publishAfterMs?: number) {
  const database = await openDatabase(`${temporaryFolder()}/ivy.db`);
  const documents = new DocumentRepository(database);
  let faulty = false;
  let attempts = 0;
  const slow = { id: '', done: Promise.resolve() };
  /** Takes long: it is given up unless patience is asked for. */
  let hard = '';
  const parsedInOrder: string[] = [];
  let unreadable = '';
  const store = {
    remove: async () => {},
    put: async () => {
      attempts += 1;
      if (faulty) throw new Error('disk full');
    },
    passageCounts: async () => new Map(),
    spaces: async () => [],
  } as unknown as PassageStore;
  const page = { page: 1, heading: null, text: 'words' };
  const parsed = { title: null, pageKind: 'section', pages: [page], notice: null };
  const parser = {
    parse: async ({ path }: { path: string }, _signal: AbortSignal, { patient }: { patient: boolean }) => {
      if (path === slow.id) await slow.done;
      if (path === hard && !patient) throw new TakesLong();
      if (path === unreadable) throw new UnreadableDocument('The file is damaged.');
      parsedInOrder.push(path);
      return { ok: true, document: parsed, passages: [{ ...page, boxes: [], terms: 'words' }] };
    },
    close() {},
  } as unknown as ParserProcess;
  const files = { path: (id: string) => id, ids: async () => [], remove: async () => {} } as unknown as FileStore;
  const ingestion = new Ingestion({ documents, files, store, parser, onVisible: () => {} }, { publishAfterMs });
  const add = (n: number) =>
    documents.add({
      id: `doc_${n}`,
      source: `${n}.md`,
      collection: 'default',
      bytes: 1,
      mediaType: 'text/markdown',
      sha256: `${n}`,
      sample: false,
    });
  const statuses = async () => (await documents.list(50)).documents.map(({ status }: DocumentInfo) => status);
  return {
    ingestion,
    documents,
    add,
    slow,
    statuses,
    parsedInOrder,
    attempts: () => attempts,
    fault: (on: boolean) => (faulty = on),
    makeHard: (id: string) => (hard = id),
    makeUnreadable: (id: string) => (unreadable = id),
  };
}

test('a fault of the index costs no document: all wait, the pause holds, and then all are ready', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const { ingestion, add, statuses, attempts, fault } = await setUp();
    fault(true);
    for (let n = 0; n < 5; n++) await add(n);
    ingestion.wake();
    await vi.waitFor(async () => expect(await statuses()).toEqual(Array(5).fill('queued')));
    // What is added during the pause does not use up the attempts.
    for (let n = 5; n < 12; n++) {
      await add(n);
      ingestion.wake();
    }
    expect(attempts()).toBe(1);
    fault(false);
    await vi.advanceTimersByTimeAsync(31_000);
    await vi.waitFor(async () => expect(await statuses()).toEqual(Array(12).fill('ready')));
    await ingestion.stop();
  } finally {
    vi.useRealTimers();
  }
});

test('a document that is done does not wait for a slow one behind it', async () => {
  const { ingestion, add, slow, statuses } = await setUp(20);
  await add(1);
  await add(2);
  let release = () => {};
  Object.assign(slow, { id: 'doc_2', done: new Promise<void>((resolve) => (release = resolve)) });
  ingestion.wake();
  await vi.waitFor(async () => expect((await statuses()).toSorted()).toEqual(['parsing', 'ready']));
  release();
  await vi.waitFor(async () => expect(await statuses()).toEqual(['ready', 'ready']));
  await ingestion.stop();
});

test('a hard file goes to the end of the queue, and is read with patience then', async () => {
  const { ingestion, add, statuses, parsedInOrder, makeHard } = await setUp();
  makeHard('doc_1');
  for (let n = 1; n <= 4; n++) await add(n);
  ingestion.wake();
  await vi.waitFor(async () => expect(await statuses()).toEqual(Array(4).fill('ready')));
  expect(parsedInOrder).toEqual(['doc_2', 'doc_3', 'doc_4', 'doc_1']);
  await ingestion.stop();
});

test('a document that an earlier version could read keeps its passages when it cannot be read again', async () => {
  const { ingestion, documents, add, makeUnreadable } = await setUp();
  await add(1);
  ingestion.wake();
  await vi.waitFor(async () => expect((await documents.get('doc_1'))?.status).toBe('ready'));
  makeUnreadable('doc_1');
  expect(await documents.queueOutdated(99)).toBe(1);
  expect(await documents.rereading()).toBe(1);
  expect(await documents.searchable()).toEqual([{ id: 'doc_1', language: null }]);
  ingestion.wake();
  await vi.waitFor(async () => expect(await documents.rereading()).toBe(0));
  expect(await documents.get('doc_1')).toMatchObject({
    status: 'ready',
    notice: 'Read by an earlier version; now: The file is damaged.',
  });
  await ingestion.stop();
});

test('paused, documents wait; then they are worked off, or removed if asked', async () => {
  const { ingestion, add, statuses } = await setUp();
  ingestion.pause();
  await add(1);
  await add(2);
  ingestion.wake();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await statuses()).toEqual(['queued', 'queued']);
  expect(ingestion.paused).toBe(true);
  expect(await ingestion.cancelQueued()).toBe(2);
  expect(await statuses()).toEqual([]);
  await add(3);
  ingestion.resume();
  await vi.waitFor(async () => expect(await statuses()).toEqual(['ready']));
  await ingestion.stop();
});

import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openDatabase } from '../../store/database';
import { eventually, patience } from '../../testing/collect';
import { bytesOf, content, file, ingest, openKnowledgeBase, root } from '../../testing/knowledge';
import type { KnowledgeBase } from './knowledge-base';

const search = (knowledge: KnowledgeBase, text: string, change = {}) =>
  knowledge.query({ text, limit: 5, minScore: undefined, collections: undefined, ...change }, patience());

const FAIRING = '# Fairing\n\nThe fairing has an external diameter of 4.0 m.\n\n# Motor\n\nThe motor burns HTPB.\n';

describe('a document', () => {
  test('is found by its words once it is ready, with place and score', async () => {
    const { knowledge } = await openKnowledgeBase();
    const document = await ingest(knowledge, 'fairing.md', content(FAIRING));
    expect(document).toMatchObject({
      status: 'ready',
      source: 'fairing.md',
      title: 'Fairing',
      pages: 1,
      passages: 1,
      revision: 1,
    });
    const result = await search(knowledge, 'What is the diameter of the fairing?');
    expect(result).toMatchObject({
      state: 'ok',
      passages: [{ source: 'fairing.md', documentId: document.id, page: 1, pageKind: 'section' }],
    });
    expect(result.passages[0]?.score).toBeGreaterThan(0.5);
    expect(result.passages[0]?.score).toBeLessThanOrEqual(1);
    expect((await search(knowledge, 'zebra crossing')).state).toBe('empty');
    expect(await knowledge.page(document.id, 1)).toMatchObject({ text: expect.stringContaining('4.0 m') });
    expect(await knowledge.page(document.id, 2)).toBeUndefined();
  });

  test('that is there already is the same document', async () => {
    const { knowledge } = await openKnowledgeBase();
    const first = await ingest(knowledge, 'a.md', content(FAIRING));
    const again = await knowledge.add('copy of a.md', content(FAIRING));
    expect(again).toMatchObject({ created: false, document: { id: first.id } });
    expect((await knowledge.list(10)).documents).toHaveLength(1);
  });

  test('with a known name and new content replaces the old one', async () => {
    const { knowledge, directory } = await openKnowledgeBase();
    const old = await ingest(knowledge, 'a.md', content(FAIRING));
    const next = await ingest(knowledge, 'a.md', content(FAIRING.replace('4.0 m', '5.2 m')));
    expect(next.revision).toBe(2);
    await eventually(async () => (await knowledge.get(old.id)) === undefined && (await knowledge.passageCount()) === 1);
    const { passages } = await search(knowledge, 'fairing diameter');
    expect(passages.map(({ text }) => text?.includes('5.2 m'))).toEqual([true]);
    expect(readdirSync(join(directory, 'knowledge', 'files'))).toEqual([next.id]);
  });

  test('that is deleted is gone from search, disk and list', async () => {
    const { knowledge, directory } = await openKnowledgeBase();
    const document = await ingest(knowledge, 'a.md', content(FAIRING));
    expect(await knowledge.remove(document.id)).toBe(true);
    expect(await knowledge.remove(document.id)).toBe(false);
    expect((await search(knowledge, 'fairing')).passages).toEqual([]);
    expect(await knowledge.passageCount()).toBe(0);
    expect(readdirSync(join(directory, 'knowledge', 'files'))).toEqual([]);
  });

  test('belongs to one collection, and a search can be limited to some', async () => {
    const { knowledge } = await openKnowledgeBase();
    await knowledge.add('a.md', content(FAIRING), { collection: "o'brien" });
    await ingest(knowledge, 'b.md', content('# Other\n\nThe fairing of the other launcher.'));
    const names = async (collections: string[]) =>
      (await search(knowledge, 'fairing', { collections })).passages.map(({ source }) => source);
    expect(await names(["o'brien"])).toEqual(['a.md']);
    expect(await names(['default', "o'brien"])).toHaveLength(2);
    expect(await names(["x') OR ('1'='1"])).toEqual([]);
    expect(await names([])).toEqual([]);
  });

  test('keeps its identifiers whole', async () => {
    const { knowledge } = await openKnowledgeBase();
    const lines = Array.from(
      { length: 30 },
      (_, n) =>
        `HED-SEP-REQ-${String(n * 10).padStart(4, '0')} The system shall do thing ${n}, as ${'word '.repeat(60)}.`,
    );
    await ingest(knowledge, 'req.md', content(lines.join('\n\n')));
    const { passages } = await search(knowledge, 'HED-SEP-REQ-0170');
    expect(passages[0]?.text).toContain('HED-SEP-REQ-0170');
    await ingest(knowledge, 'api.txt', content('Call CFE_ES_PoolCreate first. Clause 5.3.2.1 says so.'));
    expect((await search(knowledge, '5.3.2.1')).passages[0]?.source).toBe('api.txt');
    expect((await search(knowledge, 'cfe_es_poolcreate')).passages[0]?.source).toBe('api.txt');
  });
});

describe('a file', () => {
  const failed = async (name: string, data: Buffer | string) => {
    const { knowledge } = await openKnowledgeBase();
    return ingest(knowledge, name, content(data));
  };

  test.each([
    ['broken.pdf', Buffer.concat([Buffer.from('%PDF-1.7\n'), Buffer.alloc(5000, 65)]), /damaged/],
    ['empty.md', '', /empty/],
    ['blank.txt', ' \n\n ', /no text/],
    [
      'broken.docx',
      Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), Buffer.from('word/document.xml nonsense')]),
      /damaged/,
    ],
  ])('that cannot be read (%s) fails alone, with a reason', async (name, data, reason) => {
    const document = await failed(name, data);
    expect(document).toMatchObject({ status: 'failed', error: expect.stringMatching(reason) });
  });

  test('that is no document is refused at once', async () => {
    const { knowledge, directory } = await openKnowledgeBase();
    const binary = Buffer.from([0x4d, 0x5a, 0x90, 0, 3, 0, 0, 0, 4]);
    await expect(knowledge.add('tool.pdf', content(binary))).rejects.toMatchObject({ code: 'unsupported_media_type' });
    expect(readdirSync(join(directory, 'knowledge', 'incoming'))).toEqual([]);
  });

  test('that is too large is refused, and nothing stays on disk', async () => {
    const { knowledge, directory } = await openKnowledgeBase(undefined, { maxFileBytes: 1000 });
    await expect(knowledge.add('a.txt', content('x'.repeat(2000)))).rejects.toMatchObject({
      code: 'payload_too_large',
    });
    expect(readdirSync(join(directory, 'knowledge', 'incoming'))).toEqual([]);
  });

  test('is read as what it is, whatever its name says', async () => {
    const document = await failed(
      'page.pdf',
      '<!doctype html><title>A page</title><script>x()</script><h1>Fairing</h1><p>Mass 940 kg</p>',
    );
    expect(document).toMatchObject({ status: 'ready', mediaType: 'text/html', title: 'A page' });
  });

  test.each([
    ['../../etc/passwd.md', 'etc/passwd.md'],
    ['a/./b//c.md', 'a/b/c.md'],
    ['..\\..\\x.md', 'x.md'],
    ['a\u202egnp.md', 'agnp.md'],
    [`${'n'.repeat(300)}.md`, expect.stringMatching(/^n{150}….*\.md$/)],
  ])('named %j cannot leave its folder', async (name, expected) => {
    const { knowledge, directory } = await openKnowledgeBase();
    const document = await ingest(knowledge, name, content('Some words about it.'));
    expect(document.source).toEqual(expected);
    expect(readdirSync(join(directory, 'knowledge', 'files'))).toEqual([document.id]);
  });
});

test('deleting while others are ingested harms neither', async () => {
  const { knowledge } = await openKnowledgeBase();
  const doomed = await Promise.all(
    Array.from({ length: 6 }, (_, n) => ingest(knowledge, `old-${n}.md`, content(`# Old ${n}\n\nOld words ${n}.`))),
  );
  const added = Array.from({ length: 12 }, (_, n) =>
    knowledge.add(`new-${n}.md`, content(`# New ${n}\n\nNew words ${n}.`)),
  );
  await Promise.all(doomed.map(({ id }) => knowledge.remove(id)));
  await Promise.all(added);
  await eventually(async () => {
    const { documents } = await knowledge.list(50);
    return documents.every(({ status }) => status === 'ready' || status === 'failed');
  });
  const { documents } = await knowledge.list(50);
  expect(documents.map(({ source, status }) => `${source} ${status}`).sort()).toEqual(
    Array.from({ length: 12 }, (_, n) => `new-${n}.md ready`).sort(),
  );
  expect(await knowledge.passageCount()).toBe(12);
});

test('signs that carry meaning are shown as they are, and found by their plain form', async () => {
  const { knowledge } = await openKnowledgeBase();
  await ingest(knowledge, 'units.md', content('# Loads\n\nThe ﬁnal load is 10⁶ N on 2 m², half of it is ½.'));
  const { passages } = await search(knowledge, 'final load');
  expect(passages[0]?.text).toContain('The final load is 10⁶ N on 2 m², half of it is ½.');
});

describe('after a restart', () => {
  test('documents that were waiting are ingested, leftovers of uploads are gone, unknown files put aside', async () => {
    const first = await openKnowledgeBase();
    const { document } = await first.knowledge.add('a.md', content(FAIRING));
    await first.close();
    writeFileSync(join(first.directory, 'knowledge', 'files', 'doc_unknown'), 'never acknowledged');
    writeFileSync(join(first.directory, 'knowledge', 'incoming', 'in_half'), 'half');
    const second = await openKnowledgeBase(first.directory);
    await eventually(async () => (await second.knowledge.get(document.id))?.status === 'ready');
    expect((await search(second.knowledge, 'fairing')).passages).toHaveLength(1);
    expect(readdirSync(join(first.directory, 'knowledge', 'files'))).toEqual([document.id]);
    expect(readdirSync(join(first.directory, 'knowledge', 'incoming'))).toEqual([]);
    expect(readdirSync(join(first.directory, 'knowledge', 'orphans'))).toEqual(['doc_unknown']);
  });

  test('a deletion that was cut off is ended, and the original goes with it', async () => {
    const first = await openKnowledgeBase();
    const document = await ingest(first.knowledge, 'a.md', content(FAIRING));
    await first.documents.setStatus(document.id, 'deleting');
    await first.close();
    const second = await openKnowledgeBase(first.directory);
    expect(await second.documents.states()).toEqual([]);
    expect(readdirSync(join(first.directory, 'knowledge', 'files'))).toEqual([]);
    expect(existsSync(join(first.directory, 'knowledge', 'orphans'))).toBe(false);
    expect((await search(second.knowledge, 'fairing')).passages).toEqual([]);
  });

  test('documents that wait to be indexed again are not removed with new ones', async () => {
    const first = await openKnowledgeBase();
    const document = await ingest(first.knowledge, 'a.md', content(FAIRING));
    await first.close();
    rmSync(join(first.directory, 'knowledge', 'index'), { recursive: true });
    const second = await openKnowledgeBase(first.directory, { paused: true });
    await second.knowledge.add('new.md', content('Something new.'));
    expect((await second.knowledge.counts()).queued).toBe(2);
    expect(await second.knowledge.ingestion.cancelQueued()).toBe(1);
    second.knowledge.ingestion.resume();
    await eventually(async () => (await second.knowledge.get(document.id))?.status === 'ready');
  });

  test('documents of an earlier version are read again in the background, and are found meanwhile', async () => {
    const first = await openKnowledgeBase();
    const document = await ingest(first.knowledge, 'a.md', content(FAIRING));
    await first.close();
    const database = await openDatabase(join(first.directory, 'ivy.db'));
    await database.updateTable('documents').set({ reading: 0 }).execute();
    await database.destroy();
    const second = await openKnowledgeBase(first.directory, { paused: true });
    await eventually(async () => (await second.knowledge.rereading()) === 1);
    expect((await second.knowledge.get(document.id))?.status).toBe('queued');
    expect((await search(second.knowledge, 'fairing')).passages).toHaveLength(1);
    second.knowledge.ingestion.resume();
    await eventually(async () => (await second.knowledge.rereading()) === 0);
    expect((await second.knowledge.get(document.id))?.status).toBe('ready');
    expect((await search(second.knowledge, 'fairing')).passages).toHaveLength(1);
  });

  test('a lost index is built again from the documents', async () => {
    const first = await openKnowledgeBase();
    const document = await ingest(first.knowledge, 'a.md', content(FAIRING));
    await first.close();
    rmSync(join(first.directory, 'knowledge', 'index'), { recursive: true });
    const second = await openKnowledgeBase(first.directory);
    await eventually(async () => (await second.knowledge.get(document.id))?.status === 'ready');
    expect((await search(second.knowledge, 'fairing')).passages).toHaveLength(1);
  });
});

test('the shipped samples answer the questions they were written for, on the right page', async () => {
  const { knowledge } = await openKnowledgeBase();
  const samples = join(root, 'samples');
  for (const name of readdirSync(samples).filter((entry) => entry.startsWith('hedera')))
    await ingest(knowledge, name, file(join(samples, name)));
  const first = async (question: string) => {
    const [passage] = (
      await knowledge.retrieve({ text: question, limit: 5, minScore: undefined, collections: undefined }, patience())
    ).passages;
    return `${passage?.source} ${passage?.pageKind === 'page' ? passage.page : passage?.heading?.split(' › ').at(-1)}`;
  };
  expect(await first('What is the payload fairing design?')).toBe('hedera-2-payload-fairing.pdf 3');
  expect(await first('Under which conditions is the fairing separated?')).toBe('hedera-2-payload-fairing.pdf 7');
  expect(await first('What is the total vent area of the fairing?')).toBe('hedera-2-payload-fairing.pdf 6');
  expect(await first('What is the largest longitudinal quasi-static load on the payload?')).toBe(
    'hedera-2-loads-and-environments.pdf 3',
  );
  expect(await first('What are the safety factors for metallic structures?')).toBe(
    'hedera-2-loads-and-environments.pdf 6',
  );
  expect(await first('What is the clamp band preload?')).toBe(
    'hedera-2-separation-requirements.md 5.2 Clamp band preload',
  );
  const cake = await knowledge.retrieve(
    { text: 'How do I bake a chocolate cake?', limit: 5, minScore: undefined, collections: undefined },
    patience(),
  );
  expect(cake).toMatchObject({ state: 'empty', passages: [] });
  expect(bytesOf(join(samples, 'hedera-2-payload-fairing.pdf')).length).toBeLessThan(200_000);
});

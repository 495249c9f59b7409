import { expect, test } from 'playwright/test';
import { Ivy, sleep, until } from './ivy';

/** Long enough that a kill falls into every stage of ingestion. */
const text = (n: number) =>
  `# Unit ${n}\n\n${Array.from({ length: 150 }, (_, line) => `UNIT-${n}-REQ-${line} The unit number${n} shall withstand load ${line} of kind q${n}x${line}.`).join('\n\n')}\n`;

interface Documents {
  documents: { id: string; source: string; status: string; passages: number }[];
  next: string | null;
}

async function allDocuments(ivy: Ivy): Promise<Documents['documents']> {
  const all: Documents['documents'] = [];
  let next: string | null = null;
  do {
    const page: Documents = await ivy.json<Documents>(`/documents?limit=200${next ? `&cursor=${next}` : ''}`);
    all.push(...page.documents);
    next = page.next;
  } while (next);
  return all;
}

/** `IVY_CRASH_ROUNDS=1000 npm run e2e -- crash` is the long form. */
const ROUNDS = Number(process.env['IVY_CRASH_ROUNDS'] ?? 20);
/** After so many kills all is checked and removed: the store would grow without end. */
const CHECKED_AFTER = 25;

/** Everything that was acknowledged is there once and whole, and nothing else is. */
async function check(ivy: Ivy, acknowledged: ReadonlyMap<string, string>): Promise<void> {
  await ivy.settled();
  const documents = await allDocuments(ivy);
  const byId = new Map(documents.map((document) => [document.id, document]));
  for (const [id, name] of acknowledged) expect(byId.get(id), name).toMatchObject({ source: name, status: 'ready' });
  // Each passage is there once: a search for a word of one document finds its pages, none twice.
  for (const [id, name] of [...acknowledged].slice(0, 10)) {
    const number = name.match(/\d+/)?.[0];
    const response = await fetch(`${ivy.url}/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: `number${number}`, limit: 200 }),
    });
    const found = (await response.json()).documents as { id: string; document_id: string }[];
    expect(found.length).toBeGreaterThan(0);
    expect(found.every((passage) => passage.document_id === id)).toBe(true);
    expect(new Set(found.map((passage) => passage.id)).size).toBe(found.length);
  }
  await expectPassages(
    ivy,
    documents.reduce((sum, { passages }) => sum + passages, 0),
  );
}

async function expectPassages(ivy: Ivy, count: number): Promise<void> {
  // The count in /health is up to two seconds old.
  await sleep(2_100);
  const { components } = await ivy.json<{ components: { knowledge_base: { passages: number } } }>('/health');
  expect(components.knowledge_base.passages).toBe(count);
}

async function removeAll(ivy: Ivy): Promise<void> {
  for (const { id } of await allDocuments(ivy)) {
    expect((await fetch(`${ivy.url}/documents/${id}`, { method: 'DELETE' })).ok).toBe(true);
  }
  await expectPassages(ivy, 0);
}

test('SIGKILL during ingestion loses no acknowledged document and leaves no half one', async () => {
  test.setTimeout(120_000 + ROUNDS * 15_000);
  const ivy = await Ivy.start({ empty: true });
  const acknowledged = new Map<string, string>();
  try {
    let n = 0;
    for (let round = 1; round <= ROUNDS; round++) {
      let alive = true;
      const before = acknowledged.size;
      const uploads = (async () => {
        while (alive) {
          n += 1;
          const name = `unit-${n}.md`;
          const response = await ivy.upload(name, text(n)).catch(() => undefined);
          if (response?.status === 202) acknowledged.set((await response.json()).id, name);
          await sleep(5);
        }
      })().catch(() => {});
      // By what was acknowledged, not by the clock: machines differ.
      await until(() => acknowledged.size >= before + 4);
      await sleep((round * 90) % 700);
      await ivy.kill();
      alive = false;
      await uploads;
      await ivy.launch();
      if (round < ROUNDS && round % CHECKED_AFTER !== 0) continue;
      await check(ivy, acknowledged);
      await removeAll(ivy);
      acknowledged.clear();
      if (ROUNDS > 100) console.log(`${round} kills`);
    }
  } finally {
    await ivy.stop();
  }
});

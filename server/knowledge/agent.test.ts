import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeAgent } from '../../e2e/upstreams/fake-agent';
import { patience } from '../testing/collect';
import { KnowledgeAgent } from './agent';

let upstream: FakeAgent;
let agent: KnowledgeAgent;
const query = { text: 'fairing', limit: 5, minScore: undefined, collections: undefined };

beforeEach(async () => {
  upstream = new FakeAgent();
  await upstream.start();
  agent = new KnowledgeAgent({ url: upstream.url, timeoutMs: 300 });
});
afterEach(() => upstream.stop());

test('the classic five fields become passages without text; score and page are shown as sent', async () => {
  const result = await agent.retrieve(query, patience());
  expect(upstream.queries).toEqual([{ query: 'fairing', limit: 5 }]);
  expect(result).toMatchObject({ state: 'ok', candidates: [{ page: 45 }, { page: 12 }] });
  expect(result.passages[0]).toMatchObject({
    source: 'ECSS-E-ST-32-08C.pdf',
    page: 45,
    score: 0.8542,
    text: undefined,
    documentId: undefined,
  });
});

test('optional fields are taken, links only when they are web links', async () => {
  upstream.documents = [
    {
      id: 7,
      score: 12.5,
      source: 'a.pdf',
      page_index: 0,
      text: 'words',
      heading: '4.3',
      url: 'https://docs.example/a',
      scores: { keyword: 3, vector: null },
    },
    { id: 8, score: 1, source: 'b.pdf', page_index: 1, text: '  ', url: 'javascript:alert(1)' },
  ];
  const { passages } = await agent.retrieve(query, patience());
  expect(passages[0]).toMatchObject({
    id: '7',
    score: 12.5,
    page: 0,
    text: 'words',
    heading: '4.3',
    url: 'https://docs.example/a',
    scores: { keyword: 3 },
  });
  expect(passages[1]).toMatchObject({ text: undefined, url: undefined });
});

test('a threshold applies only when it is set', async () => {
  expect((await agent.retrieve({ ...query, minScore: 0.7 }, patience())).passages).toHaveLength(1);
  expect((await agent.retrieve({ ...query, minScore: 0.9 }, patience())).state).toBe('empty');
});

test('what may be of another collection is not shown where only some may be seen', async () => {
  const only = (...collections: string[]) => agent.retrieve({ ...query, collections }, patience());
  // Agents as they are do not tell.
  expect(await only('public')).toMatchObject({ state: 'degraded', passages: [], candidates: [] });
  expect((await only('public')).reason).toContain('does not say to which collection');
  upstream.documents = ['public', 'secret', undefined].map((collection, id) => ({
    id,
    score: 1,
    source: `${collection}.pdf`,
    page_index: 1,
    collection,
  }));
  const { state, passages, candidates } = await only('public', 'other');
  expect([state, passages.map(({ source }) => source), candidates.length]).toEqual(['ok', ['public.pdf'], 1]);
  expect(upstream.queries.at(-1)).toMatchObject({ collections: ['public', 'other'] });
  const asked = upstream.queries.length;
  expect(await only()).toMatchObject({ state: 'empty', passages: [] });
  expect(upstream.queries).toHaveLength(asked);
});

describe('anything else is degraded, never thrown', () => {
  test.each<[string, (upstream: FakeAgent) => void]>([
    [
      'truncated JSON',
      (u) => {
        u.raw = '{"documents":[{"id":';
      },
    ],
    [
      'not the contract',
      (u) => {
        u.raw = '[]';
      },
    ],
    [
      'a score that is no number',
      (u) => {
        u.raw = '{"documents":[{"id":"1","score":NaN,"source":"a","page_index":1}]}';
      },
    ],
    [
      'an infinite score',
      (u) => {
        u.raw = '{"documents":[{"id":"1","score":1e999,"source":"a","page_index":1}]}';
      },
    ],
    [
      'a server error',
      (u) => {
        u.status = 500;
      },
    ],
    [
      'too many documents',
      (u) => {
        u.raw = JSON.stringify({
          documents: Array.from({ length: 51 }, (_, id) => ({ id, score: 1, source: 'a', page_index: 1 })),
        });
      },
    ],
    [
      'too much data',
      (u) => {
        u.raw = `{"documents":[],"pad":"${'x'.repeat(3_000_000)}"}`;
      },
    ],
    [
      'a late answer',
      (u) => {
        u.delayMs = 2_000;
      },
    ],
  ])('%s', async (_name, spoil) => {
    spoil(upstream);
    const result = await agent.retrieve(query, patience());
    expect(result).toMatchObject({
      state: 'degraded',
      passages: [],
      reason: expect.stringMatching(/knowledge agent/i),
    });
  });

  test('a closed port', async () => {
    await upstream.stop();
    expect(await agent.retrieve(query, patience())).toMatchObject({
      state: 'degraded',
      reason: expect.stringContaining('cannot be reached'),
    });
  });
});

test('an empty answer is "empty"', async () => {
  upstream.documents = [];
  expect(await agent.retrieve(query, patience())).toMatchObject({ state: 'empty' });
});

test('cancelling the run cancels the query', async () => {
  upstream.delayMs = 5_000;
  const controller = new AbortController();
  const result = agent.retrieve(query, controller.signal);
  setTimeout(() => controller.abort(), 20);
  await expect(result).rejects.toMatchObject({ name: 'AbortError' });
});

test('questions that the agent refuses do not make it count as down', async () => {
  upstream.status = 422;
  for (let time = 0; time < 8; time++) {
    const { state, reason } = await agent.retrieve(query, patience());
    expect([state, reason]).toEqual(['degraded', 'The knowledge agent refused the question (HTTP 422).']);
  }
  upstream.status = 200;
  expect((await agent.retrieve(query, patience())).state).toBe('ok');
});

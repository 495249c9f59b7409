import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FakeModels } from '../../../e2e/upstreams/fake-models';
import { OpenAiEmbeddings } from '../../providers/openai-embeddings';
import { eventually, patience } from '../../testing/collect';
import { content, ingest, openKnowledgeBase } from '../../testing/knowledge';
import { RerankService } from '../rerank-service';
import { createModelEmbedder } from './embedder';
import type { KnowledgeBase } from './knowledge-base';

async function startModels(): Promise<FakeModels> {
  const models = new FakeModels();
  await models.start();
  onTestFinished(() => models.stop());
  return models;
}

const embedder = (models: FakeModels, model = 'embed-a') =>
  createModelEmbedder(
    new OpenAiEmbeddings({ baseUrl: `${models.url}/v1`, apiKey: 'key-1' }),
    model,
    `model_${model.replace(/\W/g, '')}`,
  );

const search = (knowledge: KnowledgeBase, text: string, stages?: readonly ('keyword' | 'vector')[]) =>
  knowledge.query(
    { text, limit: 5, minScore: undefined, collections: undefined, ...(stages && { stages }) },
    patience(),
  );

const settled = (knowledge: KnowledgeBase, model: string) =>
  eventually(() => {
    const { state, model: now, documents, total } = knowledge.vectors;
    return state === 'ready' && now === model && documents === total;
  });

const DOCUMENTS = {
  'cars.md': '# Cars\n\nEvery car has wheels and needs fuel.',
  'fairing.md': '# Fairing\n\nThe fairing protects the payload in the atmosphere.',
  'soup.md': '# Soup\n\nSoup is cooked with salt and water.',
};

async function setUp(models: FakeModels, directory?: string) {
  const { knowledge, ...rest } = await openKnowledgeBase(directory);
  await knowledge.setModels({ embedder: embedder(models), reranker: undefined });
  return { knowledge, ...rest };
}

describe('with an embedding model', () => {
  test('a passage is found by meaning, with what each stage says', async () => {
    const models = await startModels();
    const { knowledge } = await setUp(models);
    for (const [name, text] of Object.entries(DOCUMENTS)) await ingest(knowledge, name, content(text));
    await settled(knowledge, 'embed-a');
    const { passages, state } = await search(knowledge, 'shroud');
    expect(state).toBe('ok');
    expect(passages[0]).toMatchObject({ source: 'fairing.md', ranks: { vector: 1, fused: 1 } });
    expect(passages[0]?.scores.keyword).toBeUndefined();
    expect(passages[0]?.score).toBeGreaterThan(0.2);
    expect(models.keys).toContain('Bearer key-1');
    // Words alone find nothing.
    expect((await search(knowledge, 'shroud', ['keyword'])).state).toBe('empty');
  });

  test('words and meaning are fused', async () => {
    const models = await startModels();
    const { knowledge } = await setUp(models);
    for (const [name, text] of Object.entries(DOCUMENTS)) await ingest(knowledge, name, content(text));
    await settled(knowledge, 'embed-a');
    const { passages } = await search(knowledge, 'automobile fuel');
    const [first] = passages;
    expect(first?.source).toBe('cars.md');
    expect(first?.ranks).toMatchObject({ keyword: 1, vector: 1, fused: 1 });
    // The best by words and the closest: 0.6 and 0.4.
    expect(first?.scores.fused).toBeGreaterThan(0.6);
  });

  test('that is down, questions are answered by words, marked', async () => {
    const models = await startModels();
    const { knowledge } = await setUp(models);
    for (const [name, text] of Object.entries(DOCUMENTS)) await ingest(knowledge, name, content(text));
    await settled(knowledge, 'embed-a');
    models.down = true;
    const result = await search(knowledge, 'payload fairing');
    expect(result).toMatchObject({ state: 'degraded', reason: expect.stringContaining('by words only') });
    expect(result.passages[0]?.source).toBe('fairing.md');
    await ingest(knowledge, 'late.md', content('# Late\n\nSomething about valves.'));
    await eventually(() => knowledge.vectors.state === 'failing');
    expect((await search(knowledge, 'valves')).passages[0]?.source).toBe('late.md');
  });

  test('what is near and what is not is measured anew as documents come', async () => {
    const models = await startModels();
    const { knowledge } = await setUp(models);
    const unrelated = async () => (await search(knowledge, 'quantum chromodynamics lagrangian')).passages;
    await ingest(knowledge, 'fairing.md', content(DOCUMENTS['fairing.md']));
    await settled(knowledge, 'embed-a');
    for (const { score } of await unrelated()) expect(score).toBe(0);
    for (let n = 0; n < 40; n++) {
      const topic = `topic${String.fromCharCode(97 + (n % 26))}${String.fromCharCode(97 + (n % 7))}`;
      await ingest(knowledge, `${n}.md`, content(`${topic} ${topic}ers ${topic}ing.`));
    }
    await settled(knowledge, 'embed-a');
    await eventually(async () => (await unrelated()).every(({ score }) => score < 0.2));
    const same = async () => (await search(knowledge, 'shroud protects payload atmosphere', ['vector'])).passages[0];
    await eventually(async () => ((await same())?.score ?? 0) > 0.2);
  });

  test('a passage that the model refuses keeps no other from its vector', async () => {
    const models = await startModels();
    models.maxChars = 600;
    const { knowledge } = await setUp(models);
    await ingest(knowledge, 'long.md', content(`Wheels ${'and tyres roll along the road '.repeat(45)}`));
    for (const [name, text] of Object.entries(DOCUMENTS)) await ingest(knowledge, name, content(text));
    await settled(knowledge, 'embed-a');
    const sources = (await search(knowledge, 'shroud', ['vector'])).passages.map(({ source }) => source);
    expect(sources).toEqual(expect.arrayContaining(['fairing.md', 'long.md']));
    // Its beginning was taken.
    const taken = models.embedded.flatMap(({ input }) => input).filter((text) => text.includes('Wheels'));
    expect(taken.some((text) => text.length <= 600)).toBe(true);
  });

  test('a model that refuses everything is not ready', async () => {
    const models = await startModels();
    models.maxChars = 0;
    const { knowledge } = await setUp(models);
    for (const [name, text] of Object.entries(DOCUMENTS)) await ingest(knowledge, name, content(text));
    await eventually(() => knowledge.vectors.state === 'failing');
    expect((await search(knowledge, 'payload fairing')).passages[0]?.source).toBe('fairing.md');
  });

  test('a model that is removed from the configuration is asked no more', async () => {
    const models = await startModels();
    const { knowledge } = await setUp(models);
    for (const [name, text] of Object.entries(DOCUMENTS)) await ingest(knowledge, name, content(text));
    await settled(knowledge, 'embed-a');
    models.embedded.length = 0;
    await knowledge.setModels({ embedder: undefined, reranker: undefined });
    expect((await search(knowledge, 'payload fairing')).state).toBe('ok');
    expect(models.embedded).toEqual([]);
    expect(knowledge.vectors.state).toBe('off');
  });

  test('vectors survive a restart, and only what is missing is embedded', async () => {
    const models = await startModels();
    const first = await setUp(models);
    for (const [name, text] of Object.entries(DOCUMENTS)) await ingest(first.knowledge, name, content(text));
    await settled(first.knowledge, 'embed-a');
    await first.close();
    models.embedded.length = 0;
    const second = await setUp(models, first.directory);
    await ingest(second.knowledge, 'new.md', content('# New\n\nA rocket burns propellant.'));
    await settled(second.knowledge, 'embed-a');
    const inputs = models.embedded.flatMap(({ input }) => input);
    expect(inputs.filter((text) => text.includes('payload'))).toEqual([]);
    expect((await search(second.knowledge, 'shroud')).passages[0]?.source).toBe('fairing.md');
  });

  test('another model gets a space of its own, and the old one serves until it is full', async () => {
    const models = await startModels();
    const { knowledge, directory } = await setUp(models);
    for (const [name, text] of Object.entries(DOCUMENTS)) await ingest(knowledge, name, content(text));
    await settled(knowledge, 'embed-a');
    models.embedded.length = 0;
    const other = embedder(models, 'embed-b');
    let release = () => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    await knowledge.setModels({
      embedder: { ...other, passages: async (passages, signal) => gate.then(() => other.passages(passages, signal)) },
      reranker: undefined,
    });
    await eventually(() => knowledge.vectors.state === 'building');
    expect((await search(knowledge, 'shroud')).passages[0]?.source).toBe('fairing.md');
    expect(models.embedded.at(-1)?.model).toBe('embed-a');
    release();
    await settled(knowledge, 'embed-b');
    expect((await search(knowledge, 'shroud')).passages[0]?.source).toBe('fairing.md');
    expect(models.embedded.at(-1)?.model).toBe('embed-b');
    const tables = readdirSync(join(directory, 'knowledge', 'index')).filter((name) => name.startsWith('vectors_'));
    expect(tables).toEqual(['vectors_model_embedb.lance']);
  });

  test('a deleted document leaves no vector', async () => {
    const models = await startModels();
    const { knowledge } = await setUp(models);
    const documents = [];
    for (const [name, text] of Object.entries(DOCUMENTS)) documents.push(await ingest(knowledge, name, content(text)));
    await settled(knowledge, 'embed-a');
    const fairing = documents.find(({ source }) => source === 'fairing.md');
    await knowledge.remove(fairing?.id ?? '');
    const { passages } = await search(knowledge, 'shroud');
    expect(passages.map(({ source }) => source)).not.toContain('fairing.md');
  });
});

describe('without one', () => {
  test('documents are searched by words, and nothing is learnt', async () => {
    const { knowledge, directory } = await openKnowledgeBase();
    for (const [name, text] of Object.entries(DOCUMENTS)) await ingest(knowledge, name, content(text));
    expect((await search(knowledge, 'payload fairing')).passages[0]?.source).toBe('fairing.md');
    expect(knowledge.vectors.state).toBe('off');
    expect(readdirSync(join(directory, 'knowledge', 'index')).filter((name) => name.startsWith('vectors_'))).toEqual(
      [],
    );
  });
});

describe('a reranking service', () => {
  const reranker = (models: FakeModels) =>
    new RerankService({ url: `${models.url}/rerank`, model: undefined, apiKey: undefined, timeoutMs: 500 });

  test.each([false, true])('has a say in the order, and none in what a score means (logits: %s)', async (logits) => {
    const models = await startModels();
    models.logits = logits;
    const { knowledge } = await openKnowledgeBase();
    await knowledge.setModels({ embedder: undefined, reranker: reranker(models) });
    await ingest(knowledge, 'much.md', content('# Much\n\nFairing fairing fairing fairing.'));
    await ingest(knowledge, 'right.md', content('# Right\n\nThe shroud and its payload.'));
    const { passages } = await search(knowledge, 'payload fairing');
    expect(passages.map(({ source }) => source).sort()).toEqual(['much.md', 'right.md']);
    const right = passages.find(({ source }) => source === 'right.md');
    expect(right?.scores.rerank).toBeGreaterThan(0.9);
    const { passages: plain } = await search(knowledge, 'payload fairing', ['keyword']);
    expect(right?.score).toBeCloseTo(plain.find(({ source }) => source === 'right.md')?.score ?? 0);
  });

  test('that is down leaves the order of the search, marked', async () => {
    const models = await startModels();
    models.down = true;
    const { knowledge } = await openKnowledgeBase();
    await knowledge.setModels({ embedder: undefined, reranker: reranker(models) });
    await ingest(knowledge, 'a.md', content('# A\n\nThe payload fairing.'));
    expect(await search(knowledge, 'payload fairing')).toMatchObject({
      state: 'degraded',
      reason: expect.stringContaining('reranking service'),
      passages: [{ source: 'a.md' }],
    });
  });
});

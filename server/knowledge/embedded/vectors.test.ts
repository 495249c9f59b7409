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
import { MIN_PASSAGES_TO_LEARN } from './latent';

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
    expect(first?.scores.fused).toBeCloseTo(
      1 / (60 + (first?.ranks?.keyword ?? 0)) + 1 / (60 + (first?.ranks?.vector ?? 0)),
    );
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
  test('a model is learnt from enough passages, serves after a restart, and goes when a real one comes', async () => {
    const { knowledge, directory, close } = await openKnowledgeBase();
    // Each section is about one of 140 subjects, and uses three of its four words.
    const subjects = Array.from({ length: 140 }, (_, n) =>
      ['alpha', 'beta', 'gamma', 'delta'].map(
        (word) => `${word}${'abcdefghij'[n % 10]}${'klmnopqrstuvwx'[Math.floor(n / 10)]}`,
      ),
    );
    for (let n = 0; n < 14; n++) {
      const sections = Array.from({ length: 80 }, (_, section) => {
        const subject = subjects[(n * 80 + section) % 140] ?? [];
        const used = subject.filter((_word, place) => place !== Math.floor((n * 80 + section) / 140) % 4);
        return `## Part ${n} ${section}\n\n${`${used.join(' ')} `.repeat(30)}`;
      });
      await knowledge.add(`d${n}.md`, content(sections.join('\n\n')));
    }
    await settled(knowledge, 'learnt from the documents');
    expect(await knowledge.passageCount()).toBeGreaterThanOrEqual(MIN_PASSAGES_TO_LEARN);
    const [word = '', sibling = ''] = subjects[0] ?? [];
    // Passages without the word itself, found because they hold its companions.
    const related = async (base: KnowledgeBase) => {
      const query = { text: word, limit: 8, minScore: undefined, collections: undefined, stages: ['vector'] as const };
      const { passages } = await base.query(query, patience());
      return passages.filter(({ text = '' }) => !text.includes(word) && text.includes(sibling)).length;
    };
    expect(await related(knowledge)).toBe(2);
    await close();
    const again = await openKnowledgeBase(directory);
    expect(await related(again.knowledge)).toBe(2);
    const models = await startModels();
    await again.knowledge.setModels({ embedder: embedder(models), reranker: undefined });
    await settled(again.knowledge, 'embed-a');
    expect(readdirSync(join(directory, 'knowledge')).filter((name) => name.startsWith('latent_'))).toEqual([]);
  }, 60_000);
});

describe('a reranking service', () => {
  const reranker = (models: FakeModels) =>
    new RerankService({ url: `${models.url}/rerank`, model: undefined, apiKey: undefined, timeoutMs: 500 });

  test.each([false, true])('decides order and score (logits: %s)', async (logits) => {
    const models = await startModels();
    models.logits = logits;
    const { knowledge } = await openKnowledgeBase();
    await knowledge.setModels({ embedder: undefined, reranker: reranker(models) });
    await ingest(knowledge, 'much.md', content('# Much\n\nFairing fairing fairing fairing.'));
    await ingest(knowledge, 'right.md', content('# Right\n\nThe shroud and its payload.'));
    const { passages } = await search(knowledge, 'payload fairing');
    expect(passages.map(({ source }) => source)).toEqual(['right.md', 'much.md']);
    expect(passages[0]?.scores.rerank).toBe(passages[0]?.score);
    expect(passages[0]?.score).toBeGreaterThan(0.9);
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

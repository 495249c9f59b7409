import { describe, expect, test } from 'vitest';
import type { ChatProvider, ChatRequest, ModelEvent } from '../core/chat';
import { AppError } from '../core/errors';
import type { Passage, Retrieval, RetrievalQuery } from '../core/knowledge';
import type { RunEvent, RunRequest } from '../core/run';
import { collect, patience, textOfEvents } from '../testing/collect';
import { assistantMessage, passage, runRequest, userMessage } from '../testing/requests';
import { createAnswer } from './answer';
import { Rewriter } from './rewrite';

const QUESTION = 'What is the payload fairing design?';
const principal = { id: 'local', kind: 'local', role: 'admin', name: 'test' } as const;
const model = {
  id: 'm',
  contextLength: 8192,
  capabilities: { vision: false, tools: true, thinking: false, embedding: false },
};

/** A provider that remembers what it was asked and answers from a script. */
function fakeProvider(grounding: ChatProvider['grounding'], script: readonly ModelEvent[]) {
  const requests: ChatRequest[] = [];
  const provider: ChatProvider = {
    id: grounding === 'prompt' ? 'ollama' : 'anthropic',
    grounding,
    models: async () => [model],
    ignores: () => [],
    async *stream(request) {
      requests.push(request);
      for (const event of script) yield [event];
    },
  };
  return { provider, requests };
}

const text = (...pieces: string[]): ModelEvent[] => [
  ...pieces.map((piece): ModelEvent => ({ type: 'text-delta', text: piece })),
  { type: 'usage', usage: { promptTokens: 1, completionTokens: 1 } },
  { type: 'finish', reason: 'stop' },
];

function setUp(options: {
  passages?: readonly Passage[];
  retrieval?: Partial<Retrieval>;
  script?: readonly ModelEvent[];
  grounding?: ChatProvider['grounding'];
  required?: boolean;
  fail?: Error;
}) {
  const queries: RetrievalQuery[] = [];
  const { provider, requests } = fakeProvider(options.grounding ?? 'prompt', options.script ?? text('ok'));
  const passages = options.passages ?? [passage(), passage({ id: 'doc_1-2', page: 46, text: 'It weighs 940 kg.' })];
  const answer = createAnswer({
    target: async () => ({ provider, model }),
    retriever: {
      async retrieve(query) {
        queries.push(query);
        if (options.fail) throw options.fail;
        return {
          state: passages.length > 0 ? 'ok' : 'empty',
          reason: undefined,
          passages,
          candidates: [],
          timings: {},
          durationMs: 1,
          ...options.retrieval,
        };
      },
    },
    rewriter: new Rewriter(),
    settings: { topK: 5, minScore: undefined, required: options.required ?? false },
    retrieval: true,
    hasDocuments: () => true,
  });
  const run = (request: RunRequest = runRequest(QUESTION)): Promise<RunEvent[]> =>
    collect(answer(request, { runId: 'r', principal }, patience()));
  return { run, requests, queries };
}

describe('a grounded answer', () => {
  test('passages reach the model once, as one system message directly before the last user message', async () => {
    const { run, requests } = setUp({});
    await run(
      runRequest('', {
        messages: [
          { role: 'system', text: 'Be brief.' },
          userMessage('Hello'),
          assistantMessage('Hi [1]'),
          userMessage(QUESTION),
        ],
      }),
    );
    const messages = requests[0]?.messages ?? [];
    expect(messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'system', 'user']);
    expect(messages[3]).toMatchObject({ text: expect.stringContaining('It weighs 940 kg.') });
    expect(messages[2]).toMatchObject({ text: 'Hi' });
    expect(requests[0]?.passages).toEqual([]);
  });

  test('events come in order: gate, search, passages with numbers, prompt, model, text, usage, evidence, finish', async () => {
    const events = await setUp({ script: text('It is 4 m [Docu', 'ment 1] [7].') }).run();
    expect(events.map((event) => (event.type === 'step' ? event.step : event.type))).toEqual([
      'gate',
      'search',
      'retrieval',
      'prompt',
      'model',
      'text-delta',
      'text-delta',
      'usage',
      'evidence',
      'finish',
    ]);
    expect(events.find((event) => event.type === 'retrieval')?.passages.map(({ n, page }) => [n, page])).toEqual([
      [1, 45],
      [2, 46],
    ]);
    expect(textOfEvents(events)).toBe('It is 4 m [1].');
  });

  test('limits come from the settings and can be changed for one request', async () => {
    const { run, queries } = setUp({});
    await run();
    await run(runRequest(QUESTION, { rag: { topK: 2, minScore: 0.5, collections: ['a'] } }));
    expect(queries).toEqual([
      { text: QUESTION, limit: 5, minScore: undefined, collections: undefined },
      { text: QUESTION, limit: 2, minScore: 0.5, collections: ['a'] },
    ]);
  });
});

test('a JSON answer is passed on as it is: its lists are no citations', async () => {
  const json = '{"pages":[1, 2],"rows":[12],"xs":[7, 8]}';
  const { run } = setUp({ script: text(json) });
  expect(textOfEvents(await run(runRequest(QUESTION, { options: { responseFormat: { type: 'json' } } })))).toBe(json);
});

test('passages are numbered after the client’s own sources, which stay citable', async () => {
  const { run, requests } = setUp({ script: text('Own [1], ours [3][4], none [5].') });
  const events = await run(runRequest(QUESTION, { firstCitation: 3 }));
  expect(events.find((event) => event.type === 'retrieval')?.passages.map(({ n }) => n)).toEqual([3, 4]);
  expect(JSON.stringify(requests[0]?.messages)).toContain('[Document 3 - ');
  expect(textOfEvents(events)).toBe('Own [1], ours [3][4], none.');
});

describe('with native citations', () => {
  test('passages go as blocks, markers are written after the cited text', async () => {
    const script: ModelEvent[] = [
      { type: 'text-delta', text: 'It is 4 m.' },
      { type: 'citation', passages: [1, 2] },
      { type: 'text-delta', text: ' More' },
      { type: 'finish', reason: 'stop' },
    ];
    const { run, requests } = setUp({ grounding: 'blocks', script });
    expect(textOfEvents(await run())).toBe('It is 4 m. [1][2] More');
    expect(requests[0]?.passages).toHaveLength(2);
    expect(requests[0]?.messages.map(({ role }) => role)).toEqual(['system', 'user']);
    expect(JSON.stringify(requests[0]?.messages)).not.toContain('[Document 1');
  });

  test('passages without text, and JSON answers, use the text form', async () => {
    const { run, requests } = setUp({ grounding: 'blocks', passages: [passage({ text: undefined })] });
    await run();
    const other = setUp({ grounding: 'blocks' });
    await other.run(runRequest(QUESTION, { options: { responseFormat: { type: 'json' } } }));
    expect(JSON.stringify(requests[0])).toContain('The text of this passage is not available.');
    expect(other.requests[0]?.passages).toEqual([]);
  });
});

describe('without passages', () => {
  test('the model is told that nothing was found, and invented citations go', async () => {
    const { run, requests } = setUp({ passages: [], script: text('Nothing [1].') });
    expect(textOfEvents(await run())).toBe('Nothing.');
    expect(requests[0]?.messages[0]).toMatchObject({ text: expect.stringContaining('nothing relevant was found') });
  });

  test('a failed search is degraded, not a failed answer', async () => {
    const events = await setUp({ fail: new Error('disk') }).run();
    expect(events.find((event) => event.type === 'retrieval')).toMatchObject({
      state: 'degraded',
      reason: 'The knowledge base could not be searched.',
    });
    expect(events.at(-1)).toEqual({ type: 'finish', reason: 'stop' });
  });

  test('unless retrieval is required', async () => {
    const { run, requests } = setUp({
      passages: [],
      retrieval: { state: 'degraded', reason: 'it is down' },
      required: true,
    });
    await expect(run()).rejects.toMatchObject({ code: 'retrieval_unavailable', status: 503 });
    expect(requests).toEqual([]);
  });

  test('nothing is changed when retrieval is off: no note, no filter, no search', async () => {
    const { run, requests, queries } = setUp({ script: text('x[9] [9]') });
    const events = await run(runRequest(QUESTION, { rag: { enabled: false } }));
    expect(textOfEvents(events)).toBe('x[9] [9]');
    expect(requests[0]?.messages).toHaveLength(1);
    expect(queries).toEqual([]);
  });
});

test('a missing model is reported after the search, as it was thrown', async () => {
  const answer = createAnswer({
    target: async () => Promise.reject(new AppError('model_not_found', 'not installed')),
    retriever: {
      retrieve: async () => ({
        state: 'empty',
        reason: undefined,
        passages: [],
        candidates: [],
        timings: {},
        durationMs: 0,
      }),
    },
    rewriter: new Rewriter(),
    settings: { topK: 5, minScore: undefined, required: false },
    retrieval: true,
    hasDocuments: () => true,
  });
  await expect(collect(answer(runRequest(QUESTION), { runId: 'r', principal }, patience()))).rejects.toMatchObject({
    code: 'model_not_found',
  });
});

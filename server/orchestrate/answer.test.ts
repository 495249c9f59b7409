import { describe, expect, test } from 'vitest';
import type { ChatMessage, ChatProvider, ChatRequest, ModelEvent } from '../core/chat';
import { textOf } from '../core/chat';
import { AppError } from '../core/errors';
import type { Passage, Retrieval, RetrievalQuery } from '../core/knowledge';
import type { RunEvent, RunRequest } from '../core/run';
import { collect, patience, textOfEvents } from '../testing/collect';
import { assistantMessage, passage, runRequest, userMessage } from '../testing/requests';
import { createAnswer } from './answer';
import { Rewriter } from './rewrite';
import { TokenRatios } from './tokens';

const QUESTION = 'What is the payload fairing design?';
const principal = { id: 'local', kind: 'local', role: 'admin', name: 'test' } as const;
const model = {
  id: 'm',
  contextLength: 8192,
  capabilities: { vision: false, tools: true, thinking: false, embedding: false },
};

/** A provider that remembers what it was asked and answers from a script. */
function fakeProvider(grounding: ChatProvider['grounding'], script: readonly ModelEvent[], refuse: AppError[] = []) {
  const requests: ChatRequest[] = [];
  const provider: ChatProvider = {
    id: grounding === 'prompt' ? 'ollama' : 'anthropic',
    grounding,
    local: grounding === 'prompt',
    generative: true,
    models: async () => [model],
    ignores: () => [],
    async *stream(request) {
      requests.push(request);
      const refusal = refuse.shift();
      if (refusal) throw refusal;
      for (const event of script) yield [event];
    },
  };
  return { provider, requests };
}

const text = (...pieces: string[]): ModelEvent[] => [
  ...pieces.map((piece): ModelEvent => ({ type: 'text-delta', text: piece })),
  { type: 'usage', usage: { promptTokens: 300, completionTokens: 1 } },
  { type: 'finish', reason: 'stop' },
];

function setUp(options: {
  passages?: readonly Passage[];
  retrieval?: Partial<Retrieval>;
  script?: readonly ModelEvent[];
  grounding?: ChatProvider['grounding'];
  required?: boolean;
  fail?: Error;
  place?: 'user' | 'system';
  secondLook?: 'off' | 'local' | 'any';
  /** Markers that earlier answers were given out with. */
  markers?: Set<string>;
  ratios?: TokenRatios;
  contextLength?: number;
  parameterSize?: string;
  /** Fails the first calls so. */
  refuse?: AppError[];
}) {
  const queries: RetrievalQuery[] = [];
  const { provider, requests } = fakeProvider(
    options.grounding ?? 'prompt',
    options.script ?? text('ok'),
    options.refuse,
  );
  const answering = { ...model, contextLength: options.contextLength ?? 8192, parameterSize: options.parameterSize };
  const passages = options.passages ?? [passage(), passage({ id: 'doc_1-2', page: 46, text: 'It weighs 940 kg.' })];
  const markers = options.markers ?? new Set<string>();
  const issued = {
    known: async (prints: readonly string[]) => new Set(prints.filter((print) => markers.has(print))),
    add: (prints: readonly string[]) => {
      for (const print of prints) markers.add(print);
    },
  };
  const answer = createAnswer({
    target: async () => ({ provider, model: answering }),
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
    ratios: options.ratios ?? new TokenRatios(),
    settings: {
      topK: undefined,
      minScore: undefined,
      required: options.required ?? false,
      place: options.place ?? 'user',
      secondLook: options.secondLook ?? 'off',
    },
    issued,
    retrieval: true,
    hasDocuments: () => true,
  });
  const run = (request: RunRequest = runRequest(QUESTION)): Promise<RunEvent[]> =>
    collect(answer(request, { runId: 'r', principal }, patience()));
  return { run, requests, queries };
}

describe('a grounded answer', () => {
  const CONVERSATION = [
    { role: 'system' as const, text: 'Be brief.' },
    userMessage('Hello'),
    assistantMessage('Hi [1]'),
    userMessage(QUESTION),
  ];

  test('passages reach the model once, in the last user message before the question, and the rules in the system message', async () => {
    const { run, requests } = setUp({});
    await run(runRequest('', { messages: CONVERSATION }));
    const messages = requests[0]?.messages ?? [];
    expect(messages.map(({ role }) => role)).toEqual(['system', 'system', 'user', 'assistant', 'user']);
    expect(messages[1]).toMatchObject({ text: expect.stringContaining('square brackets') });
    expect(textOf(messages[4] as ChatMessage)).toMatch(
      /^Relevant documents from knowledge base:[\s\S]*It weighs 940 kg\.[\s\S]*What is the payload fairing design\?$/,
    );
    // Nobody knows that this marker is Ivy's.
    expect(messages[3]).toMatchObject({ text: 'Hi [1]' });
    expect(requests[0]?.passages).toEqual([]);
    expect(JSON.stringify(messages).match(/It weighs 940 kg/g)).toHaveLength(1);
  });

  test('or in the system message, where the setting says so', async () => {
    const { run, requests } = setUp({ place: 'system' });
    await run(runRequest('', { messages: CONVERSATION }));
    const messages = requests[0]?.messages ?? [];
    expect(messages[1]).toMatchObject({ role: 'system', text: expect.stringContaining('It weighs 940 kg.') });
    expect(messages.at(-1)).toEqual(userMessage(QUESTION));
  });

  test('small models get fewer passages, questions with several parts more', async () => {
    const many = Array.from({ length: 10 }, (_, n) => passage({ id: `doc_1-${n}`, text: `Fact ${n}.` }));
    const count = async (question: string, parameterSize: string, contextLength = 8192) => {
      const { run } = setUp({ passages: many, parameterSize, contextLength });
      const events = await run(runRequest(question));
      return events.find((event) => event.type === 'retrieval')?.passages.length;
    };
    expect(await count(QUESTION, '3.2B')).toBe(3);
    expect(await count(QUESTION, '8.0B', 4096)).toBe(3);
    expect(await count('What is the mass and how high is the fairing?', '3.2B')).toBe(5);
    const { run, queries } = setUp({});
    await run(runRequest('What is the mass and how high is the fairing?'));
    expect(queries[0]?.limit).toBe(10);
  });

  test('what is missing is said to the model', async () => {
    const missing = { identifiers: ['STREAM_PRIORITY'], words: ['vacation'] };
    const { run, requests } = setUp({ retrieval: { missing, weak: true } });
    const events = await run();
    const rules = JSON.stringify(requests[0]?.messages[0]);
    for (const part of ['STREAM_PRIORITY', 'vacation', 'weakly']) expect(rules).toContain(part);
    expect(events.find((event) => event.type === 'retrieval')).toMatchObject({ missing, weak: true });
  });

  const tooLong = () => new AppError('context_length_exceeded', 'too long');

  test('a prompt that the model finds too long is sent again with less, and it is said', async () => {
    const long = Array.from({ length: 5 }, (_, n) => passage({ id: `doc_1-${n}`, text: 'word '.repeat(800) }));
    const { run, requests } = setUp({ passages: long, refuse: [tooLong()], contextLength: 8192 });
    const events = await run(runRequest('', { messages: CONVERSATION }));
    expect(requests).toHaveLength(2);
    expect(JSON.stringify(requests[1]).length).toBeLessThan(JSON.stringify(requests[0]).length);
    const reports = events.flatMap((event) => (event.type === 'step' && event.step === 'prompt' ? [event.report] : []));
    expect(reports[0]).toMatchObject({ passagesLeftOut: 0, messagesLeftOut: 0 });
    expect(reports[1]?.passagesLeftOut).toBeGreaterThan(0);
    expect(textOfEvents(events)).toBe('ok');
  });

  test('an earlier long chat never becomes unanswerable', async () => {
    const turns = Array.from({ length: 40 }, () => [
      userMessage('word '.repeat(400)),
      assistantMessage('word '.repeat(400)),
    ]).flat();
    const { run, requests } = setUp({ refuse: [tooLong(), tooLong()], contextLength: 4096 });
    expect(textOfEvents(await run(runRequest('', { messages: [...turns, userMessage(QUESTION)] })))).toBe('ok');
    expect(requests).toHaveLength(3);
    expect(textOf(requests[2]?.messages.at(-1) as ChatMessage)).toContain(QUESTION);
  });

  test('turns are left out only when they do not fit', async () => {
    const turns = Array.from({ length: 7 }, () => [
      userMessage('word '.repeat(120)),
      assistantMessage('word '.repeat(120)),
    ]).flat();
    const { run, requests } = setUp({ contextLength: 8192 });
    await run(runRequest('', { messages: [...turns, userMessage(QUESTION)] }));
    expect(requests[0]?.messages.length).toBe(turns.length + 2);
  });

  test('a count far below the prompt says that the model has not read the passages', async () => {
    const ratios = new TokenRatios();
    const passages = [passage({ text: 'word '.repeat(600) })];
    const counting = (promptTokens: number): ModelEvent[] => [
      { type: 'text-delta', text: 'ok' },
      { type: 'usage', usage: { promptTokens, completionTokens: 1 } },
      { type: 'finish', reason: 'stop' },
    ];
    const whole = await setUp({ passages, ratios, script: counting(900) }).run();
    expect(whole.some((event) => event.type === 'step' && event.step === 'undelivered')).toBe(false);
    const part = await setUp({ passages, ratios, script: counting(60) }).run();
    expect(part.find((event) => event.type === 'step' && event.step === 'undelivered')).toMatchObject({
      model: 'm',
      reason: expect.stringContaining('60 tokens'),
    });
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
    expect(textOfEvents(events)).toBe('It is 4 m [1] [7].');
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
  expect(textOfEvents(events)).toBe('Own [1], ours [3][4], none [5].');
  const cites = events.flatMap((event) => (event.type === 'text-delta' ? (event.cites ?? []) : []));
  expect(cites.map(({ n }) => n)).toEqual([3, 4]);
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
  test('the model is told that nothing was found, and what looks like a citation is none', async () => {
    const { run, requests } = setUp({ passages: [], script: text('Nothing [1].') });
    const events = await run();
    expect(textOfEvents(events)).toBe('Nothing [1].');
    expect(events.some((event) => event.type === 'text-delta' && event.cites)).toBe(false);
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
    ratios: new TokenRatios(),
    settings: { topK: 5, minScore: undefined, required: false, place: 'user', secondLook: 'off' },
    issued: { known: async () => new Set(), add() {} },
    retrieval: true,
    hasDocuments: () => true,
  });
  await expect(collect(answer(runRequest(QUESTION), { runId: 'r', principal }, patience()))).rejects.toMatchObject({
    code: 'model_not_found',
  });
});

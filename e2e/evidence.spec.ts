import { expect, test } from 'playwright/test';
import { Ivy, until } from './ivy';
import { readAsOpenWebUi } from './open-webui-reader';
import { FakeAgent } from './upstreams/fake-agent';
import { FakeOllama } from './upstreams/fake-ollama';

// What Ivy shows is true: text of a model is never altered, and every sentence is checked, through a running server.

const BUS_MAP = `# Telemetry bus map

The status word ADDR[15] of the Heliodor recorder shall be set while the gain lies in the interval [0, 1].
The calibration follows [12], and the offset table entry T[2] holds the bias of the Heliodor recorder.
Reference list of the Heliodor recorder: [1] Alpha handbook, [2] Beta handbook, [3] Gamma handbook.
`;
const QUESTION = 'Which status word of the Heliodor recorder shall be set?';
const AGENT_TEXT = 'The mass of the clamp band is 1,5 kg. It shall not be reused. It is torqued to 12.5 N·m.';

interface Sentence {
  text: string;
  cites: number[];
  attributed?: number;
  outcome: string;
  issues: { kind: string; detail: string; source?: string }[];
  second_look?: { verdict: string; model: string };
}
interface Answer {
  choices: {
    message: {
      content: string;
      annotations?: { attributed?: boolean; url_citation: { start_index: number; end_index: number } }[];
    };
  }[];
  usage: { prompt_tokens: number; completion_tokens: number };
  ivy: {
    rag: { cited?: boolean };
    evidence?: Sentence[];
    conflicts?: { first: { value: string }; second: { value: string } }[];
  };
}

const ollama = new FakeOllama();
const agent = new FakeAgent();
let ivy: Ivy;
test.beforeAll(async () => {
  await Promise.all([ollama.start(), agent.start()]);
  ivy = await Ivy.start({ env: { OLLAMA_BASE_URL: ollama.url }, empty: true });
  expect((await ivy.upload('bus-map.md', BUS_MAP)).status).toBe(202);
  await ivy.settled();
});
test.afterAll(async () => {
  await ivy.stop();
  await Promise.all([ollama.stop(), agent.stop()]);
});
test.beforeEach(() => {
  ollama.behaviour = {};
  ollama.script = [];
  ollama.chats.length = 0;
});

const ask = async (
  messages: object[] | string = QUESTION,
  change: object = {},
): Promise<{ answer: Answer; headers: Headers }> => {
  const list = typeof messages === 'string' ? [{ role: 'user', content: messages }] : messages;
  const response = await ivy.chat({ model: 'ivy-orchestrator', messages: list, ...change });
  expect(response.status).toBe(200);
  return { answer: (await response.json()) as Answer, headers: response.headers };
};
const contentOf = ({ choices }: Answer) => choices[0]?.message.content ?? '';
const says = (...tokens: string[]) => {
  ollama.behaviour = { tokens };
};

test.describe('text is never altered', () => {
  const CODE =
    'Use this:\n\n```c\nbuf[1] = [0, 1];\n```\n\n~~~\nx [1]\n~~~\n\n    y [1]\n\n$H[1]$ and \\(M [1]\\).\n\n{"a": [1], "b": [1, 2]}';

  for (const [name, text] of [
    ['a document of bus maps', BUS_MAP],
    ['code, maths and JSON', CODE],
  ] as const) {
    test(`as the answer of a model, whole and streamed, and as an earlier turn: ${name}`, async () => {
      says(...(text.match(/[\s\S]{1,7}/g) ?? []));
      const { answer } = await ask();
      expect(contentOf(answer)).toBe(text);
      const stream = await (
        await ivy.chat({ model: 'ivy-orchestrator', stream: true, messages: [{ role: 'user', content: QUESTION }] })
      ).text();
      const streamed = stream
        .split('\n\n')
        .filter((frame) => frame.startsWith('data: {'))
        .map((frame) => JSON.parse(frame.slice(6)).choices?.[0]?.delta.content ?? '')
        .join('');
      expect(streamed).toBe(text);
      ollama.chats.length = 0;
      await ask([
        { role: 'user', content: QUESTION },
        { role: 'assistant', content: text },
        { role: 'user', content: `${QUESTION} Again, please.` },
      ]);
      expect(ollama.chats.at(-1)?.messages.find(({ role }) => role === 'assistant')?.content).toBe(text);
    });
  }

  test('in a quotation of the built-in provider, which is borne out by what it quotes', async () => {
    ivy.writeEnv({ OLLAMA_BASE_URL: ollama.url, LLM_PROVIDER: 'builtin' });
    await until(async () => (await ivy.json<{ llm_provider: string }>('/health')).llm_provider === 'builtin');
    const { answer } = await ask();
    for (const line of BUS_MAP.split('\n').slice(2, 5)) expect(contentOf(answer)).toContain(line);
    expect(answer.ivy.rag.cited).toBe(true);
    expect(answer.ivy.evidence?.filter(({ outcome }) => outcome === 'differs') ?? []).toEqual([]);
    ivy.writeEnv({ OLLAMA_BASE_URL: ollama.url });
    await until(async () => (await ivy.json<{ llm_provider: string }>('/health')).llm_provider !== 'builtin');
  });

  test('only the markers that Ivy gave out are taken out of earlier turns', async () => {
    says('The status word ADDR[15] shall be set', ' [Document 1]', '. Entry T[2] holds the bias.');
    const { answer } = await ask();
    expect(contentOf(answer)).toBe('The status word ADDR[15] shall be set [1]. Entry T[2] holds the bias.');
    await ask([
      { role: 'user', content: QUESTION },
      { role: 'assistant', content: contentOf(answer) },
      { role: 'user', content: 'Which entry holds the bias of the Heliodor recorder?' },
    ]);
    expect(ollama.chats.at(-1)?.messages.find(({ role }) => role === 'assistant')?.content).toBe(
      'The status word ADDR[15] shall be set. Entry T[2] holds the bias.',
    );
  });

  test('what a model thinks aloud, and headers of the prompt that it repeats, are no citations', async () => {
    says('<think>Maybe [1].</think>', '[Document 1 - bus-map Section 1]:\n(Score: 0.9000)\n', 'ADDR[15] shall be set.');
    const { answer } = await ask();
    expect(contentOf(answer)).toBe('<think>Maybe [1].</think>ADDR[15] shall be set.');
    expect(answer.ivy.rag.cited).toBe(false);
  });

  test('a client’s own numbered context is not linked to Ivy’s passages', async () => {
    says('Alpha is blue [1], and ADDR[15] is set [3].');
    const { answer } = await ask(`Context:\n[1] Alpha is blue.\n[2] Beta is red.\n\n${QUESTION}`);
    expect(contentOf(answer)).toBe('Alpha is blue [1], and ADDR[15] is set [3].');
    const marked = (answer.choices[0]?.message.annotations ?? []).filter(({ attributed }) => !attributed);
    expect(
      marked.map(({ url_citation: { start_index, end_index } }) => contentOf(answer).slice(start_index, end_index)),
    ).toEqual(['[3]']);
  });
});

test.describe('every sentence is checked', () => {
  test.beforeAll(async () => {
    agent.documents = [
      { id: 'a', score: 0.9, source: 'manual-a.pdf', page_index: 4, text: AGENT_TEXT },
      { id: 'b', score: 0.8, source: 'manual-b.pdf', page_index: 9, text: 'The mass of the clamp band is 2 kg.' },
    ];
    ivy.writeEnv({ OLLAMA_BASE_URL: ollama.url, KNOWLEDGE_AGENT_URL: agent.url });
    await until(
      async () => (await ivy.json<{ knowledge_agent_url: string | null }>('/health')).knowledge_agent_url !== null,
    );
  });
  const MASS = 'What is the mass of the clamp band?';

  test('against what it cites, as values, with the source’s words', async () => {
    says('The mass of the clamp band is 5 kg [1]. It is torqued to 12,5 Nm [1]. It may be reused [1].');
    const { answer, headers } = await ask(MASS);
    expect(answer.ivy.evidence?.map(({ outcome, issues }) => [outcome, issues])).toEqual([
      ['differs', [{ kind: 'number', detail: '5 kg', source: '1,5 kg' }]],
      ['supported', []],
      ['differs', expect.arrayContaining([expect.objectContaining({ kind: 'force', source: 'shall' })])],
    ]);
    expect([answer.ivy.rag.cited, headers.get('x-ivy-cited')]).toEqual([true, 'true']);
  });

  test('also in an answer that cites nothing: it is attributed, differs, or has no source', async () => {
    says('The mass of the clamp band is 1.5 kg. It is torqued to 40 N·m. The launch costs 3,000,000 EUR.');
    const { answer, headers } = await ask(MASS);
    expect(answer.ivy.evidence?.map(({ outcome, cites, attributed }) => [outcome, cites, attributed])).toEqual([
      ['supported', [], 1],
      ['differs', [], undefined],
      ['no_source', [], undefined],
    ]);
    expect([answer.ivy.rag.cited, headers.get('x-ivy-cited')]).toEqual([false, 'false']);
    const [annotation] = answer.choices[0]?.message.annotations ?? [];
    expect(annotation).toMatchObject({ attributed: true });
    const { start_index: start = 0, end_index: end = 0 } = annotation?.url_citation ?? {};
    expect(contentOf(answer).slice(start, end)).toBe('The mass of the clamp band is 1.5 kg.');
  });

  test('and Open WebUI is told what was and what was not', async () => {
    says('The mass of the clamp band is 7.7 kg.');
    const response = await ivy.chat(
      { model: 'ivy-orchestrator', stream: true, messages: [{ role: 'user', content: MASS }] },
      { 'user-agent': 'Python/3.11 aiohttp/3.13.0' },
    );
    const { statuses } = await readAsOpenWebUi(response);
    const texts = statuses.map((status) => ('description' in status ? status.description : ''));
    expect(texts).toContain(
      '1 sentence checked: 1 differs from its source. The model cited nothing; Ivy compared its sentences with all passages.',
    );
    expect(texts.find((text) => text?.includes('the source says'))).toContain('7.7 kg: the source says');
    expect(
      texts.find((text) => text?.startsWith('The documents disagree on “The mass of the clamp band is ….”')),
    ).toContain('1,5 kg [1], 2 kg [2]');
  });

  test('documents that contradict each other are named, cited or not', async () => {
    says('I do not know.');
    const { answer } = await ask(MASS);
    expect(answer.ivy.conflicts).toMatchObject([{ first: { value: '1,5 kg' }, second: { value: '2 kg' } }]);
  });

  test('an answer of 400 KB holds nobody up', async () => {
    says('The mass of the clamp band is 1,5 kg [1] '.repeat(10_000));
    const started = performance.now();
    let slowest = 0;
    const long = ask(MASS);
    let open = true;
    void long.finally(() => (open = false));
    while (open) {
      const before = performance.now();
      await ivy.json('/ready');
      slowest = Math.max(slowest, performance.now() - before);
    }
    await long;
    // It took a minute once; what it takes exactly belongs to the bench.
    expect(performance.now() - started).toBeLessThan(30_000);
    expect(slowest).toBeLessThan(3_000);
  });

  test('and by the model once more, when that is wanted: its verdict, and its tokens', async () => {
    ivy.writeEnv({ OLLAMA_BASE_URL: ollama.url, KNOWLEDGE_AGENT_URL: agent.url, RAG_SECOND_LOOK: 'local' });
    const answer = { tokens: ['The mass of the clamp band is 5 kg [1].'] };
    await until(async () => {
      ollama.script = [answer, { tokens: ['yes'] }];
      const found = (await ask(MASS)).answer.ivy.evidence?.[0];
      return (
        found?.second_look?.verdict === 'yes' &&
        found.outcome === 'differs' &&
        found.second_look.model === 'llama3.1:latest'
      );
    });
    ollama.script = [answer, { tokens: ['yes'] }];
    const looked = (await ask(MASS)).answer.usage;
    ollama.script = [{ tokens: ['Nothing to compare here.'] }];
    expect(looked.prompt_tokens).toBeGreaterThan(0);
    ivy.writeEnv({ OLLAMA_BASE_URL: ollama.url, KNOWLEDGE_AGENT_URL: agent.url });
  });
});

test('web pages of allowed origins may send what official SDKs send, to the API only', async () => {
  const origin = 'https://chat.example.org';
  ivy.writeEnv({ OLLAMA_BASE_URL: ollama.url, IVY_CORS_ORIGINS: 'HTTPS://Chat.Example.org/' });
  const preflight = (
    path: string,
    headers = 'authorization,content-type,x-stainless-lang,x-stainless-retry-count,x-evil',
  ) =>
    fetch(ivy.url + path, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': headers },
    });
  await until(
    async () => (await preflight('/v1/chat/completions')).headers.get('access-control-allow-origin') === origin,
  );
  expect((await preflight('/v1/chat/completions')).headers.get('access-control-allow-headers')).toBe(
    'authorization, content-type, x-stainless-lang, x-stainless-retry-count',
  );
  expect((await preflight('/query')).headers.get('access-control-allow-origin')).toBe(origin);
  for (const path of ['/documents', '/health']) {
    expect(
      (await fetch(ivy.url + path, { headers: { origin } })).headers.get('access-control-allow-origin'),
    ).toBeNull();
  }
  expect((await fetch(`${ivy.url}/documents/doc_x`, { method: 'DELETE', headers: { origin } })).status).toBe(403);
});

test('a base URL without /v1, or with two, or meant for Ollama, is told', async () => {
  const told = async (path: string, method = 'POST') => {
    const response = await fetch(ivy.url + path, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(method === 'POST' && { body: '{}' }),
    });
    expect(response.status).toBe(404);
    return ((await response.json()) as { error: { message: string } }).error.message;
  };
  expect(await told('/chat/completions')).toContain('has to end with /v1');
  expect(await told('/models', 'GET')).toContain('has to end with /v1');
  expect(await told('/v1/v1/chat/completions')).toContain('twice');
  expect(await told('/api/tags', 'GET')).toContain('not Ollama');
});

test('a body that is not UTF-8 is refused', async () => {
  const body = Buffer.from(
    JSON.stringify({ model: 'ivy-orchestrator', messages: [{ role: 'user', content: 'Größe?' }] }),
    'latin1',
  );
  const response = await fetch(`${ivy.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  expect(response.status).toBe(400);
  expect(await response.text()).toContain('UTF-8');
});

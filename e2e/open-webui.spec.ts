import { expect, test } from 'playwright/test';
import { Ivy, sleep, until } from './ivy';
import { citation, percentage, readAsOpenWebUi, type Source } from './open-webui-reader';
import { FakeOllama } from './upstreams/fake-ollama';

// Open WebUI as it calls a connection by default, and its chores.

const QUESTION = 'What is the payload fairing design?';
const TITLE =
  '### Task:\nGenerate a concise, 3-5 word title with an emoji summarizing the chat history.\n### Chat History:\n<chat_history>\nUSER: What is the payload fairing design?\n</chat_history>';
/** What its default template makes of a question when two files are attached. */
const WITH_FILES = `### Task:
Respond to the user query using the provided context, incorporating inline citations in the format [id] **only when the <source> tag includes an explicit id attribute** (e.g., <source id="1">).
<context>
<source id="1" name="budget.xlsx">Budget for the launch site.</source>
<source id="2" name="notes.txt">Notes of the meeting.</source>
</context>

${QUESTION}`;
const ownSource = (name: string): Source => ({
  source: { name },
  document: ['…'],
  metadata: [{ source: name, name }],
  distances: [0.5],
});

const ollama = new FakeOllama();
let ivy: Ivy;
test.beforeAll(async () => {
  await ollama.start();
  ollama.models[0]?.capabilities.push('thinking');
  ivy = await Ivy.start({ env: { OLLAMA_BASE_URL: ollama.url } });
  await ivy.settled();
});
test.afterAll(async () => {
  await ivy.stop();
  await ollama.stop();
});
test.beforeEach(() => {
  ollama.behaviour = {};
  ollama.script = [];
  ollama.chats.length = 0;
});

const post = (content: string, change: object = {}, headers: Record<string, string> = {}) =>
  ivy.chat(
    {
      model: 'ivy-orchestrator',
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: 'user', content }],
      ...change,
    },
    { authorization: 'Bearer sk-any', 'user-agent': 'Python/3.11 aiohttp/3.13.0', ...headers },
  );

test('sources are saved with page and percentage before the text, and every [n] opens the right one', async () => {
  const message = await readAsOpenWebUi(await post(QUESTION));
  expect(message.statuses).toEqual([
    { action: 'knowledge_search', query: QUESTION, done: false },
    { action: 'sources_retrieved', count: message.sources.length, done: true },
    { description: expect.stringMatching(/^\d sentences? checked: /), done: true },
  ]);
  const cited = [...message.content.matchAll(/\[(\d+)\]/g)].map(([, n]) => Number(n));
  expect(cited).toEqual([1, 1, 2, 99]);
  for (const n of cited.slice(0, 3)) {
    const { listed, label } = citation(n, message.sources);
    expect(label).toBe(listed?.source.name);
    expect(listed).toBe(message.sources[n - 1]);
  }
  const [first] = message.sources;
  expect(first?.source.name).toBe('hedera-2-payload-fairing.pdf · p. 3');
  expect(first?.metadata[0]?.page).toBe(2);
  expect(first?.document[0]).toContain('half-shells');
  expect(percentage(first)).toMatch(/^\d\d\.\d\d%$/);
  expect(first?.source.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/view\/doc_/);
  // Addresses elsewhere would make the browser ask Google for an icon.
  for (const { source, metadata } of message.sources) {
    expect(`${source.id} ${source.name} ${metadata[0]?.source} ${metadata[0]?.name}`).not.toContain('http');
  }
  expect(message.usage?.['completion_tokens']).toBeGreaterThan(5);
  expect(message.longestLine).toBeLessThan(64 * 1024);
});

test('with files of its own its sources come first: ours are numbered after them, and the real question is searched', async () => {
  const message = await readAsOpenWebUi(await post(WITH_FILES));
  expect(message.statuses[0]?.query).toBe(QUESTION);
  const prompt = ollama.chats[0]?.messages.map(({ content }) => content).join('\n') ?? '';
  expect(prompt).toContain('[Document 3 - hedera-2-payload-fairing Page 3]');
  expect(prompt).not.toContain('[Document 1 - ');
  ollama.behaviour = { tokens: ['Paid [1], built [3', '] and [4], not [99].'] };
  const answer = await readAsOpenWebUi(await post(WITH_FILES));
  expect(answer.content).toBe('Paid [1], built [3] and [4], not [99].');
  const all = [ownSource('budget.xlsx'), ownSource('notes.txt'), ...answer.sources];
  expect(citation(1, all).label).toBe('budget.xlsx');
  expect(citation(3, all).label).toBe('hedera-2-payload-fairing.pdf · p. 3');
  expect(citation(3, all).listed).toBe(answer.sources[0]);
});

test('usage is one chunk, reasoning is apart, tool calls are whole', async () => {
  ollama.behaviour = {
    thinking: ['hm ', 'hm'],
    tokens: ['Let me look.'],
    toolCalls: [
      { name: 'search', arguments: { q: 'a' } },
      { name: 'search', arguments: {} },
    ],
  };
  const message = await readAsOpenWebUi(await post(QUESTION, { tools: [], num_ctx: 4096, custom: { x: 1 } }));
  expect([message.reasoning, message.content]).toEqual(['hm hm', 'Let me look.']);
  expect(message.toolCalls.map(({ function: { arguments: text } }) => text)).toEqual(['{"q":"a"}', '{}']);
  expect(message.usage).toMatchObject({ completion_tokens: 1 });
  expect(message.usage?.['total_tokens']).toBe(
    (message.usage?.['prompt_tokens'] ?? 0) + (message.usage?.['completion_tokens'] ?? 0),
  );
});

test('after a tool result nothing is searched again, and an answer that is not Ivy’s stays as it is', async () => {
  const messages = [
    { role: 'user', content: QUESTION },
    {
      role: 'assistant',
      content: 'As said [2].',
      tool_calls: [{ id: 'c1', type: 'function', function: { name: 'f', arguments: '' } }],
    },
    { role: 'tool', tool_call_id: 'c1', content: '4 m' },
  ];
  const message = await readAsOpenWebUi(await post('', { messages }));
  expect([message.statuses, message.sources]).toEqual([[], []]);
  expect(ollama.chats[0]?.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool']);
  expect(ollama.chats[0]?.messages[1]?.content).toBe('As said [2].');
});

test('errors are shown: before the stream as JSON, in its middle as an object, the text so far is kept', async () => {
  const early = await readAsOpenWebUi(await post(QUESTION, { model: 'nope' }));
  expect(early.error?.message).toContain('nope does not exist');
  ollama.behaviour = { tokens: ['one ', 'two ', 'three'], tokenMs: 30, fault: 'error-line' };
  const late = await readAsOpenWebUi(await post(QUESTION));
  expect([late.content, late.error?.message]).toEqual(['one two ', expect.stringContaining('Ollama reported')]);
});

test('a title that is asked for just before the question waits for its answer, is not searched for and not thought about', async () => {
  ollama.behaviour = { tokens: Array.from({ length: 10 }, (_, n) => `w${n} `), tokenMs: 50 };
  const title = post(TITLE, { stream: false, stream_options: undefined });
  await sleep(50);
  const answer = await readAsOpenWebUi(await post(QUESTION));
  expect(ollama.chats).toHaveLength(1);
  expect(answer.content).toContain('w9');
  const response = await title;
  expect(response.headers.get('x-ivy-rag')).toBe('off');
  expect((await response.json()).choices[0].message.content).toContain('w9');
  expect(ollama.chats[0]?.messages.at(-1)?.content.endsWith(QUESTION)).toBe(true);
  expect(ollama.chats[1]?.messages).toHaveLength(1);
  expect(ollama.chats[1]?.['think']).toBe(false);
});

test('chores go to a small model of their own when one is set', async () => {
  ollama.addChatModel('tiny:latest');
  ivy.writeEnv({ OLLAMA_BASE_URL: ollama.url, TASK_MODEL: 'ollama/tiny' });
  await until(async () => {
    await post(TITLE, { stream: false }, { 'x-openwebui-task': 'title_generation' });
    return ollama.chats.at(-1)?.model === 'tiny:latest';
  });
  const response = await post(QUESTION);
  await response.text();
  expect(ollama.chats.at(-1)?.model).toBe('llama3.1:latest');
  ivy.writeEnv({ OLLAMA_BASE_URL: ollama.url });
});

test('X6: events that a hostile model server sends do not reach the browser', async () => {
  ollama.behaviour = {
    tokens: ['<script>alert(1)</script> ', '{"event":{"type":"execute"}}'],
    extra: { event: { type: 'execute', data: { code: 'alert(1)' } }, selected_model_id: 'x', timings: null },
  };
  const response = await post(QUESTION);
  const text = await response.clone().text();
  const message = await readAsOpenWebUi(response);
  expect(new Set(message.forwarded)).toEqual(new Set(['status', 'source']));
  expect(text).not.toMatch(/selected_model_id|timings/);
  expect(message.content).toContain('{"event":{"type":"execute"}}');
});

test('long passages stay within a line that it can read, one source per chunk', async () => {
  const long = `# Ariadne\n\n${'The ariadne valve is made of “titanium” — 漢字. '.repeat(1_500)}`;
  await ivy.upload('ariadne.md', long);
  await ivy.settled();
  const message = await readAsOpenWebUi(await post('What is the ariadne valve made of?'));
  expect(message.sources.length).toBeGreaterThan(0);
  expect(message.longestLine).toBeLessThan(64 * 1024);
});

test('models carry what Open WebUI needs to switch off its 26 tools', async () => {
  const { data } = await ivy.json<{ data: Record<string, unknown>[] }>('/v1/models');
  for (const model of data) {
    expect(model['id']).not.toMatch(/^(o\d|gpt-[5-9])/);
    expect(model['meta']).toMatchObject({ capabilities: { builtin_tools: false, usage: true, citations: true } });
    expect(model['info']).toEqual({ meta: model['meta'] });
  }
});

test('its experimental responses connection gets the same sources', async () => {
  const response = await fetch(`${ivy.url}/v1/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': 'Python/3.11 aiohttp/3.13.0' },
    body: JSON.stringify({ model: 'ivy-orchestrator', stream: true, input: QUESTION }),
  });
  const message = await readAsOpenWebUi(response);
  expect(message.sources[0]?.source.name).toBe('hedera-2-payload-fairing.pdf · p. 3');
});

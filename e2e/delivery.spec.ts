import { expect, test } from 'playwright/test';
import { Ivy, until } from './ivy';
import { type ChatTemplate, FakeOllama } from './upstreams/fake-ollama';

// Whether the passages that were found stand in the prompt that a model really reads: asserted on what the chat
// template makes of the messages.

const TEMPLATES: ChatTemplate[] = ['first-only', 'first-turn-only', 'first-or-error', 'none-or-error'];
const QUESTIONS = [
  'What is the payload fairing design?',
  'And its mass?',
  'Which acoustic blankets does the fairing have?',
  'How is the separation of the fairing commanded?',
  'What is the dynamic envelope of the payload?',
];

let ollama: FakeOllama;
let ivy: Ivy;

test.beforeAll(async () => {
  ollama = new FakeOllama();
  await ollama.start();
  ollama.models = [];
  for (const template of TEMPLATES) ollama.addChatModel(`${template}:latest`, { template });
  ivy = await Ivy.start({
    env: { OLLAMA_BASE_URL: ollama.url, LLM_PROVIDER: 'local', OLLAMA_MODEL: 'first-only:latest' },
  });
  await ivy.settled();
});
test.afterAll(async () => {
  await ivy.stop();
  await ollama.stop();
});

interface Message {
  role: string;
  content: string;
}

async function use(model: string): Promise<void> {
  ivy.writeEnv({ OLLAMA_BASE_URL: ollama.url, LLM_PROVIDER: 'local', OLLAMA_MODEL: model });
  await until(async () => (await ivy.json<{ model: string }>('/health')).model === model);
}

for (const template of TEMPLATES) {
  for (const system of [undefined, 'You are a terse engineer.']) {
    test(`${template}, ${system ? 'with' : 'without'} a client’s system prompt: the model reads the passages in all of five turns`, async () => {
      await use(`${template}:latest`);
      const messages: Message[] = system ? [{ role: 'system', content: system }] : [];
      for (const question of QUESTIONS) {
        messages.push({ role: 'user', content: question });
        const response = await ivy.chat({ model: 'ivy-orchestrator', messages });
        expect(response.status).toBe(200);
        expect(response.headers.get('x-ivy-rag')).toMatch(/^ok/);
        const prompt = ollama.prompts.at(-1) ?? '';
        expect(prompt).toContain('Relevant documents from knowledge base:');
        expect(prompt).toMatch(/\[Document 1 - hedera-2-[\w-]+ (?:Page|Section) \d+\]:\n\(Score: 0\.\d{4}\)\n/);
        expect(prompt.indexOf('[Document 1 - ')).toBeLessThan(prompt.lastIndexOf(question));
        // The passages are there once, and the system text wherever the template lets it through.
        expect(prompt.match(/Relevant documents from knowledge base:/g)).toHaveLength(1);
        const dropped = template === 'first-turn-only' && messages.filter(({ role }) => role === 'user').length > 1;
        if (system && !dropped) expect(prompt).toContain(system);
        const { choices } = (await response.json()) as { choices: { message: Message }[] };
        messages.push({ role: 'assistant', content: choices[0]?.message.content ?? '' });
      }
    });
  }
}

test('in every wire form at most one system message is sent, as the first', async () => {
  await use('first-or-error:latest');
  const question = 'What is the payload fairing design?';
  const bodies: [string, object][] = [
    ['/v1/completions', { model: 'ivy-orchestrator', prompt: question }],
    ['/v1/responses', { model: 'ivy-orchestrator', instructions: 'Be terse.', input: question }],
    [
      '/v1/chat/completions',
      {
        model: 'ivy-orchestrator',
        messages: [
          { role: 'system', content: 'One.' },
          { role: 'user', content: 'Hello there' },
          { role: 'developer', content: 'Two.' },
          { role: 'user', content: question },
        ],
        tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } }],
      },
    ],
  ];
  for (const [path, body] of bodies) {
    const response = await fetch(ivy.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect([path, response.status]).toEqual([path, 200]);
    const roles = ollama.chats.at(-1)?.messages.map(({ role }) => role) ?? [];
    expect(roles.lastIndexOf('system')).toBeLessThanOrEqual(0);
    expect(ollama.prompts.at(-1)).toContain('[Document 1 - ');
  }
  expect(ollama.chats.at(-1)?.messages[0]?.content).toMatch(/^One\.\n\nRules:[\s\S]*\n\nTwo\.$/);
});

test('a model that has not read the passages is told: in the answer, the header and on the admin page', async ({
  page,
}) => {
  await use('first-turn-only:latest');
  ivy.writeEnv({
    OLLAMA_BASE_URL: ollama.url,
    LLM_PROVIDER: 'local',
    OLLAMA_MODEL: 'first-turn-only:latest',
    RAG_PROMPT_PLACE: 'system',
  });
  const ask = () =>
    ivy.chat({
      model: 'ivy-orchestrator',
      messages: [
        { role: 'user', content: 'Hello there' },
        { role: 'assistant', content: 'Hello.' },
        { role: 'user', content: 'What is the payload fairing design?' },
      ],
    });
  await until(async () => (await ask()).headers.get('x-ivy-rag') === 'degraded');
  const body = (await (await ask()).json()) as { ivy: { rag: { state: string; reason: string } } };
  expect(body.ivy.rag).toMatchObject({
    state: 'degraded',
    reason: expect.stringContaining('first-turn-only:latest read only'),
  });
  const health = await ivy.json<{ status: string; components: { prompt: { state: string; detail: string } } }>(
    '/health',
  );
  expect(health.components.prompt).toMatchObject({ state: 'down', detail: expect.stringContaining('first-turn-only') });
  await page.goto(`${ivy.url}/admin`);
  await expect(page.getByText(/first-turn-only:latest read only \d+ tokens/).first()).toBeVisible();
  await page.goto(ivy.url);
});

test('under auto a model that runs elsewhere is never chosen, listed or asked; the first choice stays', async () => {
  const other = new FakeOllama();
  await other.start();
  other.models = [];
  other.addChatModel('gpt-oss:120b-cloud', { remote_host: 'https://ollama.example' });
  const auto = await Ivy.start({ env: { OLLAMA_BASE_URL: other.url } });
  try {
    expect(await auto.json('/health')).toMatchObject({ llm_provider: 'builtin' });
    other.models.push({ name: 'qwen3:8b', capabilities: ['completion'], context_length: 8192, size: 1 });
    await until(async () => (await auto.json<{ model: string | null }>('/health')).model === 'qwen3:8b');
    const { data } = await auto.json<{ data: { id: string }[] }>('/v1/models');
    expect(data.map(({ id }) => id)).not.toContain('ollama/gpt-oss:120b-cloud');
    const refused = await auto.chat({
      model: 'ollama/gpt-oss:120b-cloud',
      messages: [{ role: 'user', content: 'Hi' }],
    });
    expect(refused.status).toBe(403);
    expect(JSON.stringify(await refused.json())).toContain('runs on https://ollama.example');
    // The newest stands first in the list, and changes nothing.
    other.models.unshift({ name: 'newest:latest', capabilities: ['completion'], context_length: 8192, size: 1 });
    await new Promise((resolve) => setTimeout(resolve, 5_500));
    await auto.chat({
      model: 'ivy-orchestrator',
      messages: [{ role: 'user', content: 'What is the fairing made of?' }],
    });
    expect(other.chats.at(-1)?.model).toBe('qwen3:8b');
    other.models = other.models.filter(({ name }) => name !== 'qwen3:8b');
    await until(async () => {
      await auto.chat({
        model: 'ivy-orchestrator',
        messages: [{ role: 'user', content: 'What is the fairing made of?' }],
      });
      return other.chats.at(-1)?.model === 'newest:latest';
    });
    expect(other.chats.every(({ model }) => !model.includes('cloud'))).toBe(true);
  } finally {
    await auto.stop();
    await other.stop();
  }
});

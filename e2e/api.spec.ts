import { readdirSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import OpenAI from 'openai';
import { expect, test } from 'playwright/test';
import { Ivy, sleep, until } from './ivy';
import { FakeAgent } from './upstreams/fake-agent';
import { FAKE_ANTHROPIC_KEY, FakeAnthropic } from './upstreams/fake-anthropic';
import { FakeOllama } from './upstreams/fake-ollama';

const QUESTION = 'What is the payload fairing design?';
const ask = { model: 'ivy-orchestrator', messages: [{ role: 'user' as const, content: QUESTION }] };

test.describe('without Ollama and without a key', () => {
  let ivy: Ivy;
  let client: OpenAI;
  test.beforeAll(async () => {
    ivy = await Ivy.start();
    await ivy.settled();
    client = new OpenAI({ baseURL: `${ivy.url}/v1`, apiKey: 'not-needed', maxRetries: 0 });
  });
  test.afterAll(() => ivy.stop());

  test('the OpenAI client gets a quoted answer with the right citation, and is told that there is no model', async () => {
    const completion = await client.chat.completions.create(ask);
    const content = completion.choices[0]?.message.content ?? '';
    expect(content).toContain('No language model is configured');
    expect(content).toMatch(/hedera-2-payload-fairing\.pdf, page 3\*\* \[1\]/);
    expect(content).toContain('two half-shells of CFRP sandwich');
    expect(completion.choices[0]?.finish_reason).toBe('stop');
    expect(completion._request_id).toMatch(/^req_[0-9a-f]{24}$/);
  });

  test('streaming gives the same text, one finish and one usage', async () => {
    const whole = await client.chat.completions.create(ask);
    const stream = await client.chat.completions.create({
      ...ask,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    const finishes: string[] = [];
    const usages: unknown[] = [];
    const ids = new Set<string>();
    for await (const chunk of stream) {
      ids.add(chunk.id);
      text += chunk.choices[0]?.delta.content ?? '';
      if (chunk.choices[0]?.finish_reason) finishes.push(chunk.choices[0].finish_reason);
      if (chunk.usage) usages.push(chunk.usage);
    }
    expect(text).toBe(whole.choices[0]?.message.content);
    expect([finishes, usages.length, ids.size]).toEqual([['stop'], 1, 1]);
  });

  test('the client’s own stream helper accepts the stream', async () => {
    const runner = client.chat.completions.stream(ask);
    expect(await runner.finalContent()).toContain('[1]');
  });

  test('plain HTTP shows headers and frames as promised', async () => {
    const response = await fetch(`${ivy.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...ask, stream: true, store: true }),
    });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    expect(response.headers.get('content-encoding')).toBeNull();
    expect(response.headers.get('x-ivy-rag')).toBe('ok');
    expect(response.headers.get('x-ivy-ignored-params')).toBe('store');
    const frames = (await response.text()).split('\n\n').filter((frame) => frame !== '');
    expect(frames.every((frame) => frame.startsWith('data: '))).toBe(true);
    expect(frames.at(-1)).toBe('data: [DONE]');
    const first = JSON.parse(frames[0]?.slice(6) ?? '');
    expect(first.choices[0].delta).toEqual({ role: 'assistant', content: '' });
    expect(first.ivy).toEqual({ request_id: response.headers.get('x-request-id'), rag: { state: 'ok', reason: null } });
  });

  test('a question about something else says that nothing was found', async () => {
    const completion = await client.chat.completions.create({
      ...ask,
      messages: [{ role: 'user', content: 'How do I bake a chocolate cake?' }],
    });
    expect(completion.choices[0]?.message.content).toContain('Nothing in the documents matches');
  });

  test('models are listed and found by id, in the classic form', async () => {
    const { data } = await client.models.list();
    expect(data.map(({ id }) => id)).toEqual(['ivy-orchestrator']);
    expect(await client.models.retrieve('ivy-orchestrator')).toMatchObject({
      object: 'model',
      created: 1704150000,
      owned_by: 'ivy',
    });
    await expect(client.models.retrieve('nope/really:7b')).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
    });
  });

  test('health tells the state of everything and stays 200', async () => {
    // Probes are cached for two seconds.
    await sleep(2_100);
    const response = await fetch(`${ivy.url}/health`);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      status: 'degraded',
      llm_provider: 'builtin',
      model: null,
      knowledge_agent_url: null,
      components: { ollama: { state: 'down' }, knowledge_base: { state: 'ok', documents: { ready: 3 } } },
    });
  });

  test('/query serves the knowledge agent’s contract', async () => {
    const response = await fetch(`${ivy.url}/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: QUESTION, limit: 2 }),
    });
    const { query, documents } = await response.json();
    expect(query).toBe(QUESTION);
    expect(documents).toHaveLength(2);
    expect(documents[0]).toMatchObject({
      source: 'hedera-2-payload-fairing.pdf',
      page_index: 3,
      text: expect.stringContaining('half-shells'),
    });
    expect(documents[0].score).toBeGreaterThan(documents[1].score);
  });

  test.describe('errors are JSON on every path', () => {
    const json = { 'content-type': 'application/json' };
    for (const [name, path, init, status] of [
      ['unknown path', '/v1/nope/deeper', {}, 404],
      ['unknown path below query', '/query/x', {}, 404],
      ['unknown document', '/documents/doc_nope', {}, 404],
      ['wrong method', '/v1/chat/completions', {}, 405],
      ['wrong method', '/v1/models', { method: 'DELETE' }, 405],
      ['broken JSON', '/v1/chat/completions', { method: 'POST', headers: json, body: '{"model":' }, 400],
      ['no object', '/v1/chat/completions', { method: 'POST', headers: json, body: '[]' }, 400],
      ['empty object', '/v1/chat/completions', { method: 'POST', headers: json, body: '{}' }, 400],
      [
        'wrong type',
        '/v1/chat/completions',
        { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' },
        415,
      ],
      [
        'unknown model',
        '/v1/chat/completions',
        { method: 'POST', headers: json, body: JSON.stringify({ ...ask, model: 'gpt-4' }) },
        404,
      ],
      ['query without text', '/query', { method: 'POST', headers: json, body: '{}' }, 400],
      ['no file', '/documents', { method: 'POST', headers: json, body: '{}' }, 415],
      ['bad limit', '/documents?limit=x', {}, 400],
    ] as [string, string, RequestInit, number][]) {
      test(`${init.method ?? 'GET'} ${path}: ${name} is ${status}`, async () => {
        const response = await fetch(ivy.url + path, init);
        expect(response.status).toBe(status);
        expect(response.headers.get('x-request-id')).toMatch(/^req_/);
        const { error } = await response.json();
        expect(Object.keys(error)).toEqual(['message', 'type', 'param', 'code']);
        expect(error.message.length).toBeGreaterThan(10);
      });
    }

    test('a slash too many at the end changes nothing', async () => {
      const init = { method: 'POST', headers: json, body: JSON.stringify(ask) };
      const response = await fetch(`${ivy.url}/v1/chat/completions/`, { ...init, redirect: 'manual' });
      expect(response.status).toBe(200);
      expect((await fetch(`${ivy.url}/v1/models/`, { redirect: 'manual' })).status).toBe(200);
      // Two inside are a redirect of Next's to the same origin, which keeps method and body.
      expect((await fetch(`${ivy.url}//v1//chat/completions`, init)).status).toBe(200);
    });

    test('a body over the limit is a 413, also without a declared length', async () => {
      const chunk = new TextEncoder().encode('x'.repeat(1024 * 1024));
      let sent = 0;
      const body = new ReadableStream({
        pull(controller) {
          sent += 1;
          if (sent > 40) controller.close();
          else controller.enqueue(chunk);
        },
      });
      const response = await fetch(`${ivy.url}/v1/chat/completions`, {
        method: 'POST',
        headers: json,
        body,
        duplex: 'half',
      } as RequestInit);
      expect(response.status).toBe(413);
      expect((await response.json()).error.message).toContain('32 MB');
    });

    test('a web page elsewhere is refused, and so is a foreign host name', async () => {
      const evil = await fetch(`${ivy.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { ...json, origin: 'https://evil.example' },
        body: JSON.stringify(ask),
      });
      expect(evil.status).toBe(403);
      expect(evil.headers.get('access-control-allow-origin')).toBeNull();
      const form = await fetch(`${ivy.url}/api/trpc/session.logout`, {
        method: 'POST',
        headers: { 'content-type': 'text/plain' },
        body: '',
      });
      expect(form.status).toBe(415);
    });
  });

  test('documents come and go over plain HTTP', async () => {
    const stored = await ivy.upload('note.md', '# Tank\n\nThe propellant tank holds 92 t of methalox.');
    expect(stored.status).toBe(202);
    const { id, source, status } = await stored.json();
    expect([source, status]).toEqual(['note.md', 'queued']);
    expect((await ivy.upload('again.md', '# Tank\n\nThe propellant tank holds 92 t of methalox.')).status).toBe(200);
    await ivy.settled();
    expect(await ivy.json(`/documents/${id}`)).toMatchObject({ status: 'ready', passages: 1 });
    const file = await fetch(`${ivy.url}/documents/${id}/file`);
    const part = await fetch(`${ivy.url}/documents/${id}/file`, {
      headers: { range: 'bytes=2-5' },
    });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toMatch(/^bytes 2-5\/\d+$/);
    expect((await part.arrayBuffer()).byteLength).toBe(4);
    const beyond = await fetch(`${ivy.url}/documents/${id}/file`, { headers: { range: 'bytes=99999999-' } });
    expect(beyond.status).toBe(416);
    expect([await file.text(), file.headers.get('content-disposition')]).toEqual([
      expect.stringContaining('methalox'),
      expect.stringContaining('attachment'),
    ]);
    const { documents, next } = await ivy.json<{ documents: unknown[]; next: string | null }>('/documents?limit=2');
    expect([documents.length, next === null]).toEqual([2, false]);
    expect(await ivy.json<{ documents: unknown[] }>(`/documents?limit=2&cursor=${next}`)).toMatchObject({
      documents: [{}, {}],
      next: null,
    });
    expect((await fetch(`${ivy.url}/documents/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await fetch(`${ivy.url}/documents/${id}`)).status).toBe(404);
    expect((await ivy.upload('tool.pdf', new Uint8Array([0x4d, 0x5a, 0, 0, 1, 2]))).status).toBe(415);
  });

  test('an upload that breaks off leaves nothing behind', async () => {
    const incoming = join(ivy.home, 'data', 'knowledge', 'incoming');
    const upload = request(`${ivy.url}/documents`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=b', 'content-length': '100000' },
    });
    upload.on('error', () => {});
    upload.write('--b\r\ncontent-disposition: form-data; name="file"; filename="half.txt"\r\n\r\nhalf of it');
    await until(() => readdirSync(incoming).length === 1);
    upload.destroy();
    await until(() => readdirSync(incoming).length === 0);
    const { documents } = await ivy.json<{ documents: { source: string }[] }>('/documents');
    expect(documents.map(({ source }) => source)).not.toContain('half.txt');
  });

  test('Ctrl-C ends it cleanly', async () => {
    expect(await ivy.terminate()).toBe(0);
    expect(ivy.output).toContain(`Ivy is ready:      ${ivy.url}`);
    expect(ivy.output).toContain('quotations (no language model yet)');
    await ivy.launch();
    await ivy.settled();
  });
});

test.describe('with Ollama', () => {
  const ollama = new FakeOllama();
  let ivy: Ivy;
  let client: OpenAI;
  test.beforeAll(async () => {
    await ollama.start();
    ivy = await Ivy.start({ env: { OLLAMA_BASE_URL: ollama.url } });
    await ivy.settled();
    client = new OpenAI({ baseURL: `${ivy.url}/v1`, apiKey: 'x', maxRetries: 0 });
  });
  const chat = (change: object, headers: Record<string, string> = {}) =>
    fetch(`${ivy.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ ...ask, ...change }),
    });
  test.beforeEach(() => {
    ollama.behaviour = {};
    ollama.chats.length = 0;
    ollama.aborted = 0;
  });
  test.afterAll(async () => {
    await ivy.stop();
    await ollama.stop();
  });

  test('the passages reach the model and its citations come back checked', async () => {
    const completion = await client.chat.completions.create(ask);
    const text = completion.choices[0]?.message.content ?? '';
    expect(text).toMatch(/\[1\] See also \[1\]\[2\] and \[99\]\.$/);
    expect(ollama.chats[0]?.messages.at(-1)).toMatchObject({ role: 'user' });
    expect(ollama.chats[0]?.messages.at(-1)?.content).toContain('[Document 1 - hedera-2-payload-fairing Page 3]:');
    expect(completion.usage?.completion_tokens).toBeGreaterThan(5);
  });

  test('an answer under way is finished before Ctrl-C ends the server, even when it comes twice', async () => {
    ollama.behaviour = { tokens: Array.from({ length: 40 }, (_, n) => `w${n} `), tokenMs: 40 };
    const answer = client.chat.completions.create(ask);
    await until(() => ollama.chats.length === 1);
    const ended = ivy.terminate();
    await ivy.interruptGroup();
    expect((await answer).choices[0]?.message.content).toContain('w39');
    expect(await ended).toBe(0);
    await ivy.launch();
  });

  test('citations are standard annotations whose links open the page, in both forms of an answer', async ({ page }) => {
    const completion = await client.chat.completions.create(ask);
    const [first] = completion.choices[0]?.message.annotations ?? [];
    const content = [...(completion.choices[0]?.message.content ?? '')];
    expect(content.slice(first?.url_citation.start_index, first?.url_citation.end_index).join('')).toBe('[1]');
    const url = new URL(first?.url_citation.url ?? '');
    expect(first?.url_citation.title).toBe('hedera-2-payload-fairing.pdf · p. 3');
    await page.goto(ivy.url + url.pathname + url.search);
    await expect(page.getByText('Page 3 of 9')).toBeVisible();
    const runner = client.chat.completions.stream(ask);
    const streamed = await runner.finalChatCompletion();
    expect(streamed.choices[0]?.message.content).toBe(completion.choices[0]?.message.content);
    expect(await (await chat({ stream: true })).text()).toContain('"annotations":[{"type":"url_citation"');
  });

  test('Open WebUI gets sources with page and score as events, and its chores are answered without a search', async () => {
    const text = await (await chat({ stream: true }, { 'x-openwebui-task': '' })).text();
    const events = text
      .split('\n')
      .filter((line) => line.startsWith('data: {'))
      .flatMap((line) => JSON.parse(line.slice(6)).event ?? []);
    const sources = events.filter((event) => event.type === 'source');
    expect(sources.length).toBeGreaterThan(1);
    expect(sources[0].data).toMatchObject({
      source: { name: 'hedera-2-payload-fairing.pdf · p. 3' },
      metadata: [{ page: 2 }],
      document: [expect.stringContaining('half-shells')],
    });
    expect(sources[0].data.distances[0]).toBeGreaterThan(0.5);
    expect(text).not.toContain('annotations');
    const chore = await chat({}, { 'x-openwebui-task': 'title_generation' });
    expect(chore.headers.get('x-ivy-rag')).toBe('off');
    const off = await chat({}, { 'x-ivy-rag': 'off' });
    expect(off.headers.get('x-ivy-rag')).toBe('off');
  });

  test('the legacy completions answer the same, as text', async () => {
    const whole = await client.completions.create({ model: 'ollama/llama3.1', prompt: 'Say what you have.' });
    expect(whole).toMatchObject({
      object: 'text_completion',
      choices: [{ text: 'I have no documents.', finish_reason: 'stop' }],
    });
    const stream = await client.completions.create({
      model: 'ollama/llama3.1',
      prompt: 'Say what you have.',
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let tokens = 0;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.text ?? '';
      tokens += chunk.usage?.completion_tokens ?? 0;
    }
    expect([text, tokens]).toEqual(['I have no documents.', 4]);
    await expect(client.completions.create({ model: 'ollama/llama3.1', prompt: [1, 2] })).rejects.toMatchObject({
      status: 400,
      param: 'prompt',
    });
  });

  test('neither keys nor questions nor answers get into the log', async () => {
    const canary = 'CANARY-QUESTION-4711';
    const question = { messages: [{ role: 'user', content: `${canary}: what is the payload fairing design?` }] };
    ollama.behaviour = { tokens: ['CANARY-ANSWER ', 'two ', 'three '], tokenMs: 5, fault: 'malformed-line' };
    await (await chat({ ...question, stream: true })).text();
    await chat(question);
    ollama.behaviour = { status: 500 };
    await chat(question);
    await chat({ ...question, temperature: 9 });
    await fetch(`${ivy.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `{"${canary}`,
    });
    expect(ivy.output).toContain('an answer broke off');
    expect(ivy.output).not.toMatch(/CANARY|half-shells|secret words/);
  });

  test('embeddings come as the client asks for them', async () => {
    ollama.models.push({ name: 'nomic-embed-text:latest', capabilities: ['embedding'], context_length: 2048, size: 1 });
    const model = 'ollama/nomic-embed-text';
    await until(async () =>
      client.embeddings.create({ model, input: 'x' }).then(
        () => true,
        () => false,
      ),
    );
    const { data, usage } = await client.embeddings.create({ model, input: ['abcd', 'z'] });
    expect(data.map(({ embedding }) => embedding.map((value) => Number(value.toFixed(3))))).toEqual([
      [0.04, 0.097, 0.25],
      [0.01, 0.122, 0.25],
    ]);
    expect(usage.total_tokens).toBe(4);
    await expect(client.embeddings.create({ model: 'ollama/llama3.1', input: 'x' })).rejects.toMatchObject({
      status: 400,
      param: 'model',
    });
    await expect(client.embeddings.create({ model: 'text-embedding-3-small', input: 'x' })).rejects.toMatchObject({
      status: 404,
    });
    ollama.models.pop();
  });

  test('a provider model answers as it is, without documents', async () => {
    const completion = await client.chat.completions.create({ ...ask, model: 'ollama/llama3.1:latest' });
    expect(completion.choices[0]?.message.content).toBe('I have no documents.');
    expect(completion.model).toBe('ollama/llama3.1:latest');
  });

  test('the client’s disconnect reaches Ollama, streaming or not, before the first byte or after', async () => {
    ollama.behaviour = { tokens: Array.from({ length: 1000 }, () => 'word '), tokenMs: 20 };
    const stream = await client.chat.completions.create({ ...ask, stream: true });
    for await (const _ of stream) break;
    await until(() => ollama.aborted === 1);
    ollama.behaviour = { firstByteMs: 60_000 };
    const controller = new AbortController();
    const waiting = client.chat.completions.create(ask, { signal: controller.signal });
    waiting.catch(() => {});
    await until(() => ollama.chats.length === 2);
    controller.abort();
    await until(() => ollama.aborted === 2);
  });

  test('a slow model does not hold back the headers', async () => {
    ollama.behaviour = { firstByteMs: 2_500 };
    const response = await fetch(`${ivy.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...ask, stream: true }),
    });
    const reader = response.body?.getReader();
    const first = await reader?.read();
    expect(new TextDecoder().decode(first?.value)).toBe(': keep-alive\n\n');
    await reader?.cancel();
  });

  test('a failure before the first token has its status, one in mid-stream is an error frame without a finish', async () => {
    ollama.behaviour = { status: 503 };
    await expect(client.chat.completions.create({ ...ask, stream: true })).rejects.toMatchObject({
      status: 429,
      code: 'rate_limit_exceeded',
    });
    ollama.behaviour = { tokens: ['one ', 'two ', 'three '], tokenMs: 30, fault: 'cut' };
    const stream = await client.chat.completions.create({ ...ask, stream: true });
    let text = '';
    const failure = await (async () => {
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    })().catch((error) => error);
    expect(text).toBe('one two ');
    expect(failure).toMatchObject({ code: 'stream_truncated' });
  });

  test('an outage is a 503 with a reason, and the model list survives it', async () => {
    const before = (await client.models.list()).data.map(({ id }) => id);
    expect(before).toContain('ollama/llama3.1:latest');
    await ollama.stop();
    await sleep(5_500);
    await expect(client.chat.completions.create(ask)).rejects.toMatchObject({
      status: 503,
      code: 'provider_unavailable',
    });
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual(before);
    await ollama.start();
    await until(async () =>
      client.chat.completions.create(ask).then(
        () => true,
        () => false,
      ),
    );
  });

  test('an edit of .env takes effect on the next request; an invalid one changes nothing and is reported', async () => {
    ivy.writeEnv({ OLLAMA_BASE_URL: ollama.url, LLM_PROVIDER: 'builtin' });
    await until(
      async () =>
        (await client.chat.completions.create(ask)).choices[0]?.message.content?.includes('No language model') ?? false,
    );
    ivy.writeEnv({ OLLAMA_BASE_URL: ollama.url, LLM_PROVIDER: 'gpt' });
    await until(async () => {
      const { components } = await ivy.json<{ components: { configuration: { detail: string | null } } }>('/health');
      return components.configuration.detail?.includes('LLM_PROVIDER') ?? false;
    });
    expect((await client.chat.completions.create(ask)).choices[0]?.message.content).toContain('No language model');
    ollama.addChatModel('mistral:latest');
    ivy.writeEnv({ OLLAMA_BASE_URL: ollama.url, LLM_PROVIDER: 'local', OLLAMA_MODEL: 'mistral' });
    await until(async () => {
      await client.chat.completions.create(ask).catch(() => {});
      return ollama.chats.at(-1)?.model === 'mistral:latest';
    });
  });
});

test('an Ollama that appears later is used within seconds; a Claude key alone sends nothing', async () => {
  const ollama = new FakeOllama();
  await ollama.start();
  await ollama.stop();
  const anthropic = new FakeAnthropic();
  await anthropic.start();
  const ivy = await Ivy.start({
    env: { OLLAMA_BASE_URL: ollama.url, ANTHROPIC_API_KEY: FAKE_ANTHROPIC_KEY, ANTHROPIC_BASE_URL: anthropic.url },
  });
  try {
    expect(await ivy.json('/health')).toMatchObject({ llm_provider: 'builtin' });
    await ollama.start();
    await until(async () => (await ivy.json<{ llm_provider: string }>('/health')).llm_provider === 'local');
    expect(await ivy.json('/health')).toMatchObject({ model: 'llama3.1:latest', status: 'healthy' });
    await ivy.json('/v1/models');
    for (const path of ['admin.overview', 'admin.models', 'chat.models']) await ivy.json(`/api/trpc/${path}`);
    expect(anthropic.requests).toBe(0);
  } finally {
    await ivy.stop();
    await ollama.stop();
    await anthropic.stop();
  }
});

test('an external knowledge agent is asked; when it is down the answer is flagged, or refused if retrieval is required', async ({
  page,
}) => {
  const agent = new FakeAgent();
  await agent.start();
  const env = { KNOWLEDGE_AGENT_URL: agent.url };
  const ivy = await Ivy.start({ env, empty: true });
  const client = new OpenAI({ baseURL: `${ivy.url}/v1`, apiKey: 'x', maxRetries: 0 });
  try {
    const found = await client.chat.completions.create(ask);
    expect(found.choices[0]?.message.content).toContain('ECSS-E-ST-32-08C.pdf, page 45 [1]');
    // The document is not Ivy's: the link shows what the agent sent for this answer.
    const link = new URL(found.choices[0]?.message.annotations?.[0]?.url_citation.url ?? '');
    await page.goto(ivy.url + link.pathname + link.search);
    await expect(page.getByRole('heading', { name: 'ECSS-E-ST-32-08C.pdf' })).toBeVisible();
    await expect(page.getByText('Page 45 · score 0.85')).toBeVisible();
    await page.goto(`${ivy.url}/view/run/req_nope?n=1`);
    await expect(page.getByText('This answer is too old')).toBeVisible();
    await agent.stop();
    const { data, response } = await client.chat.completions.create(ask).withResponse();
    expect(response.headers.get('x-ivy-rag')).toBe('degraded');
    expect(data).toMatchObject({
      ivy: { rag: { state: 'degraded', reason: expect.stringContaining('knowledge agent') } },
    });
    ivy.writeEnv({ ...env, RAG_REQUIRED: 'true' });
    await until(async () =>
      client.chat.completions.create(ask).then(
        () => false,
        (error) => error.status === 503 && error.code === 'retrieval_unavailable',
      ),
    );
  } finally {
    await ivy.stop();
  }
});

import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'playwright/test';
import { Ivy, sleep, until } from './ivy';
import { dataOf } from './openai-shapes';
import { FakeAgent } from './upstreams/fake-agent';
import { type AnthropicBehaviour, FAKE_ANTHROPIC_KEY, FakeAnthropic } from './upstreams/fake-anthropic';
import { FakeOllama, type OllamaBehaviour } from './upstreams/fake-ollama';
import { FakeQdrant } from './upstreams/fake-qdrant';

// What a client sees when something behind Ivy, or the client itself, fails. Before the first token it is a
// status with a reason, after it an error frame and the end; never a fake finish.

const QUESTION = 'What is the payload fairing design?';
const WORDS = ['one ', 'two ', 'three '];

interface Answer {
  status: number;
  /** The error's code, wherever it came. */
  code: string | null | undefined;
  text: string;
  finish: string[];
  done: boolean;
  headers: Headers;
}

/** Asks by stream and sums up what came. */
async function ask(ivy: Ivy, change: object = {}): Promise<Answer> {
  const response = await ivy.chat({
    model: 'ivy-orchestrator',
    stream: true,
    messages: [{ role: 'user', content: QUESTION }],
    ...change,
  });
  const body = await response.text();
  const { status, headers } = response;
  expect(headers.get('x-request-id')).toMatch(/^req_/);
  if (!headers.get('content-type')?.includes('event-stream')) {
    return { status, headers, code: JSON.parse(body).error?.code, text: '', finish: [], done: false };
  }
  type Chunk = { error?: { code: string }; choices?: { delta: { content?: string }; finish_reason: string | null }[] };
  const chunks = dataOf(body) as Chunk[];
  for (const chunk of chunks) if (chunk.error) expect(chunk.choices).toBeUndefined();
  return {
    status,
    headers,
    code: chunks.find(({ error }) => error)?.error?.code,
    text: chunks.map(({ choices }) => choices?.[0]?.delta.content ?? '').join(''),
    finish: chunks.flatMap(({ choices }) => choices?.[0]?.finish_reason ?? []),
    done: body.endsWith('data: [DONE]\n\n'),
  };
}

test.describe('Ollama', () => {
  const ollama = new FakeOllama();
  let ivy: Ivy;
  test.beforeAll(async () => {
    await ollama.start();
    ivy = await Ivy.start({ env: { OLLAMA_BASE_URL: ollama.url } });
    await ivy.settled();
  });
  test.afterAll(async () => {
    await ivy.stop();
    await ollama.stop();
  });
  test.beforeEach(() => {
    ollama.behaviour = {};
    ollama.aborted = 0;
  });

  const early: [string, OllamaBehaviour, number, string][] = [
    ['queue full', { status: 503 }, 429, 'rate_limit_exceeded'],
    ['internal error', { status: 500 }, 502, 'upstream_error'],
    ['a proxy that refuses', { status: 403 }, 502, 'provider_auth'],
    ['cut before the first token', { tokens: ['x'], fault: 'cut' }, 502, 'stream_truncated'],
    ['an error line first', { tokens: ['x'], fault: 'error-line' }, 502, 'upstream_error'],
  ];
  for (const [name, behaviour, status, code] of early) {
    test(`${name}: ${status} ${code}`, async () => {
      ollama.behaviour = behaviour;
      const answer = await ask(ivy);
      expect([answer.status, answer.code]).toEqual([status, code]);
      if (status === 429) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    });
  }

  const late: [string, OllamaBehaviour['fault'], string][] = [
    ['cut before its last line', 'cut', 'stream_truncated'],
    ['an error line', 'error-line', 'upstream_error'],
    ['a malformed line', 'malformed-line', 'upstream_error'],
    ['a line without end', 'endless-line', 'upstream_error'],
  ];
  for (const [name, fault, code] of late) {
    test(`${name} in mid-stream: ${code}, the text so far, no finish`, async () => {
      ollama.behaviour = { tokens: WORDS, tokenMs: 20, ...(fault && { fault }) };
      const answer = await ask(ivy);
      expect(answer).toMatchObject({ status: 200, code, text: 'one two ', finish: [], done: true });
    });
  }

  test('a model that is not there: 404, with what to do', async () => {
    const { status, code } = await ask(ivy, { model: 'ollama/nope' });
    expect([status, code]).toEqual([404, 'model_not_found']);
  });

  test('a cold load: headers at once, then the answer', async () => {
    ollama.behaviour = { firstByteMs: 1_500, tokens: WORDS };
    expect(await ask(ivy)).toMatchObject({ status: 200, text: 'one two three ', finish: ['stop'], done: true });
  });

  test('refused: 503 at once, the pages stay usable, and it is back when Ollama is', async () => {
    await ollama.stop();
    await sleep(5_100);
    const started = performance.now();
    const { status, code } = await ask(ivy);
    expect([status, code]).toEqual([503, 'provider_unavailable']);
    expect(performance.now() - started).toBeLessThan(5_000);
    expect((await fetch(`${ivy.url}/admin`)).status).toBe(200);
    await ollama.start();
    await until(async () => (await ask(ivy)).status === 200);
  });
});

test.describe('Claude', () => {
  const anthropic = new FakeAnthropic();
  let ivy: Ivy;
  test.beforeAll(async () => {
    await anthropic.start();
    ivy = await Ivy.start({
      env: { LLM_PROVIDER: 'claude', ANTHROPIC_API_KEY: FAKE_ANTHROPIC_KEY, ANTHROPIC_BASE_URL: anthropic.url },
    });
    await ivy.settled();
  });
  test.afterAll(async () => {
    await ivy.stop();
    await anthropic.stop();
  });
  test.beforeEach(() => {
    anthropic.behaviour = {};
    anthropic.calls.length = 0;
  });

  const refusals: [string, AnthropicBehaviour['statuses'], number, string, number][] = [
    ['400', [{ status: 400, type: 'invalid_request_error', message: 'too odd' }], 400, 'null', 1],
    ['401: not the caller’s key', [{ status: 401, type: 'authentication_error' }], 502, 'provider_auth', 1],
    ['403', [{ status: 403, type: 'permission_error' }], 502, 'provider_auth', 1],
    ['413', [{ status: 413, type: 'request_too_large' }], 400, 'null', 1],
    [
      '429 with a long wait',
      [{ status: 429, type: 'rate_limit_error', retryAfter: '600' }],
      429,
      'rate_limit_exceeded',
      1,
    ],
    ['429 of a spend limit', [{ status: 429, type: 'rate_limit_error' }], 429, 'rate_limit_exceeded', 1],
  ];
  for (const [name, statuses, status, code, calls] of refusals) {
    test(`${name}: ${status}, asked ${calls} time`, async () => {
      anthropic.behaviour = { ...(statuses && { statuses: [...statuses] }) };
      const answer = await ask(ivy);
      expect([answer.status, String(answer.code), anthropic.calls.length]).toEqual([status, code, calls]);
    });
  }

  test('429 with a short wait, 500 and 529: tried again, and answered', async () => {
    for (const refusal of [
      { status: 429, type: 'rate_limit_error', retryAfter: '1' },
      { status: 500, type: 'api_error' },
      { status: 529, type: 'overloaded_error' },
    ]) {
      anthropic.behaviour = { tokens: WORDS, statuses: [refusal] };
      expect(await ask(ivy)).toMatchObject({ status: 200, text: 'one two three ', finish: ['stop'] });
    }
  });

  const late: [string, AnthropicBehaviour['fault'], string][] = [
    ['overloaded', 'overloaded', 'provider_unavailable'],
    ['an end without message_stop', 'cut', 'stream_truncated'],
  ];
  for (const [name, fault, code] of late) {
    test(`${name} in mid-stream: ${code}, the text so far, no finish`, async () => {
      anthropic.behaviour = { tokens: WORDS, ...(fault && { fault }) };
      const answer = await ask(ivy);
      expect(answer.code).toBe(code);
      expect([answer.finish, anthropic.calls.length]).toEqual([[], 1]);
    });
  }

  test('a refusal of the model is told as one', async () => {
    anthropic.behaviour = { tokens: [], stopReason: 'refusal', explanation: 'Not this.' };
    expect((await ask(ivy)).finish).toEqual(['content_filter']);
  });
});

test.describe('the knowledge agent', () => {
  const agent = new FakeAgent();
  const ollama = new FakeOllama();
  let ivy: Ivy;
  test.beforeAll(async () => {
    await Promise.all([agent.start(), ollama.start()]);
    const env = { OLLAMA_BASE_URL: ollama.url, KNOWLEDGE_AGENT_URL: agent.url, KNOWLEDGE_AGENT_TIMEOUT_MS: '400' };
    ivy = await Ivy.start({ env, empty: true });
  });
  test.afterAll(async () => {
    await ivy.stop();
    await Promise.all([agent.stop(), ollama.stop()]);
  });

  const page = { id: 'x', source: 'a.pdf', page_index: 1 };
  const faults: [string, Partial<FakeAgent>, string][] = [
    ['truncated JSON', { raw: '{"documents":[{"id":"x"' }, 'cannot read'],
    ['a score that is no number', { raw: JSON.stringify({ documents: [{ ...page, score: 'NaN' }] }) }, 'cannot read'],
    [
      'ten thousand documents',
      { raw: JSON.stringify({ documents: Array(10_000).fill({ ...page, score: 1 }) }) },
      'cannot read',
    ],
    ['500', { status: 500 }, 'HTTP 500'],
    ['too slow', { delayMs: 5_000 }, 'did not answer within'],
  ];
  for (const [name, fault, reason] of faults) {
    test(`${name}: answered without documents, and said so`, async () => {
      const healthy = { raw: undefined, status: 200, delayMs: 0 };
      Object.assign(agent, fault);
      const response = await ivy.chat({ model: 'ivy-orchestrator', messages: [{ role: 'user', content: QUESTION }] });
      Object.assign(agent, healthy);
      expect([response.status, response.headers.get('x-ivy-rag')]).toEqual([200, 'degraded']);
      const { ivy: told } = await response.json();
      expect(told.rag.reason).toContain(reason);
      expect(JSON.stringify(ollama.chats.at(-1)?.messages)).toContain('could not be searched');
    });
  }

  test('nothing found: the model is told so, and an invented citation is none', async () => {
    const documents = agent.documents.splice(0);
    ollama.behaviour = { tokens: ['Nothing [1].'] };
    const answer = await ask(ivy);
    agent.documents.push(...documents);
    ollama.behaviour = {};
    expect([answer.headers.get('x-ivy-rag'), answer.text]).toEqual(['empty', 'Nothing [1].']);
  });
});

test.describe('the client', () => {
  const ollama = new FakeOllama();
  let ivy: Ivy;
  test.beforeAll(async () => {
    await ollama.start();
    ivy = await Ivy.start({ env: { OLLAMA_BASE_URL: ollama.url } });
    await ivy.settled();
  });
  test.afterAll(async () => {
    await ivy.stop();
    await ollama.stop();
  });

  /** Opens a stream and hands out the connection. */
  function open(): Promise<{ destroy(): void; text(): string }> {
    return new Promise((resolve, reject) => {
      let text = '';
      const call = request(
        `${ivy.url}/v1/chat/completions`,
        { method: 'POST', headers: { 'content-type': 'application/json' } },
        (response) => {
          response.on('data', (data) => {
            text += data;
            resolve({ destroy: () => call.destroy(), text: () => text });
          });
          response.on('error', () => {});
        },
      );
      call.on('error', reject);
      call.end(
        JSON.stringify({ model: 'ollama/llama3.1', stream: true, messages: [{ role: 'user', content: 'Hello' }] }),
      );
    });
  }

  test('fifty connections that break off all reach the model within half a second', async () => {
    ollama.behaviour = { tokens: Array.from({ length: 5_000 }, () => 'word '), tokenMs: 20 };
    ollama.aborted = 0;
    const streams = await Promise.all(Array.from({ length: 50 }, open));
    for (const stream of streams) stream.destroy();
    await sleep(500);
    expect(ollama.aborted).toBe(50);
  });

  test('a reader that does not read makes the model wait, and memory stays flat', async () => {
    const total = 800_000;
    ollama.behaviour = { tokens: Array.from({ length: total }, () => 'a token of some length, to fill things up ') };
    ollama.written = 0;
    const before = ivy.residentBytes();
    const response = await ivy.chat({
      model: 'ollama/llama3.1',
      stream: true,
      messages: [{ role: 'user', content: 'Hello' }],
    });
    await sleep(2_000);
    const held = ollama.written;
    expect(held).toBeLessThan(total / 2);
    await sleep(1_000);
    expect(ollama.written).toBe(held);
    // The whole answer is some 120 MB; up to 20 MB wait in the system's own buffers.
    expect((ivy.residentBytes() - before) / 2 ** 20).toBeLessThan(60);
    await response.body?.cancel();
    await until(() => ollama.aborted > 0);
  });

  test('forty thousand tokens arrive complete, in order and in one piece', async () => {
    const tokens = Array.from({ length: 40_000 }, (_, n) => `${n}漢👩‍🚀 `);
    ollama.behaviour = { tokens };
    const before = ivy.residentBytes();
    const { text, finish, done } = await ask(ivy, { model: 'ollama/llama3.1' });
    expect([text === tokens.join(''), finish, done]).toEqual([true, ['stop'], true]);
    expect((ivy.residentBytes() - before) / 2 ** 20).toBeLessThan(120);
  });

  test('nothing is compressed or held back, also for clients that would take it', async () => {
    ollama.behaviour = { tokens: WORDS, tokenMs: 300 };
    const response = await ivy.chat(
      { model: 'ollama/llama3.1', stream: true, messages: [{ role: 'user', content: 'Hello' }] },
      { 'accept-encoding': 'gzip, br' },
    );
    expect(response.headers.get('content-encoding')).toBeNull();
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    let reads = 0;
    for await (const _ of response.body ?? []) reads += 1;
    expect(reads).toBeGreaterThanOrEqual(WORDS.length);
  });
});

test('Qdrant: passages move there by an edit of .env; when it is down, answers say so and go on', async () => {
  const qdrant = new FakeQdrant();
  await qdrant.start();
  const ivy = await Ivy.start();
  type Health = { status: string; components: { knowledge_base: { state: string; place: string; detail: string } } };
  const health = async () => (await ivy.json<Health>('/health')).components.knowledge_base;
  try {
    await ivy.settled();
    ivy.writeEnv({ QDRANT_URL: qdrant.url });
    const points = () => [...qdrant.collections.values()].reduce((sum, { points: all }) => sum + all.size, 0);
    await until(() => points() > 20);
    await until(async () => (await ask(ivy)).headers.get('x-ivy-rag') === 'ok');
    expect(await health()).toMatchObject({ state: 'ok', place: qdrant.url });
    // Once all is there, it is searched there.
    await until(async () => {
      await ask(ivy);
      return qdrant.requests.some((line) => line.endsWith('/points/query/batch'));
    });
    await qdrant.stop();
    const answer = await ask(ivy);
    expect([answer.status, answer.headers.get('x-ivy-rag'), answer.done]).toEqual([200, 'degraded', true]);
    await until(async () => (await health()).state === 'down');
    expect((await health()).detail).toMatch(/^Qdrant /);
    await qdrant.start();
    await until(async () => (await ask(ivy)).headers.get('x-ivy-rag') === 'ok');
  } finally {
    await ivy.stop();
    await qdrant.stop();
  }
});

/** A file system of its own that is soon full; undefined where this process may not mount one. */
function smallDisk(megabytes: number): { path: string; remove(): void } | undefined {
  const path = mkdtempSync(join(tmpdir(), 'ivy-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  return { path, remove: () => execFileSync('umount', ['-l', path]) };
}

test('a full disk: the upload is refused, nothing of it stays, and questions are answered', async () => {
  const disk = smallDisk(48);
  test.skip(!disk, 'this process may not mount a file system');
  const ivy = await Ivy.start({ env: { IVY_DATA_DIR: disk?.path ?? '' } });
  try {
    await ivy.settled();
    const before = await ivy.json<{ documents: unknown[] }>('/documents');
    const response = await ivy.upload('huge.md', `# Huge\n\n${'All of this is text. '.repeat(3_000_000)}`);
    expect(response.status).toBe(507);
    expect(JSON.stringify(await response.json())).toContain('The disk is full; the file was not stored.');
    expect(await ivy.json('/documents')).toEqual(before);
    const answer = await ask(ivy);
    expect([answer.status, answer.headers.get('x-ivy-rag'), answer.done]).toEqual([200, 'ok', true]);
    // What fits is stored again.
    expect((await ivy.upload('small.md', '# Small\n\nThis fits.')).status).toBe(202);
    await ivy.settled();
  } finally {
    await ivy.stop();
    disk?.remove();
  }
});

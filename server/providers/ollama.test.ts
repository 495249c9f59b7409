import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeOllama } from '../../e2e/upstreams/fake-ollama';
import type { ModelEvent } from '../core/chat';
import { collect, eventually, patience, textOfEvents } from '../testing/collect';
import { assistantMessage, chatRequest, userMessage } from '../testing/requests';
import { OllamaProvider } from './ollama';

const upstream = new FakeOllama();
let provider: OllamaProvider;

beforeEach(async () => {
  await upstream.start();
  upstream.behaviour = {};
  upstream.chats.length = 0;
  upstream.aborted = 0;
  provider = new OllamaProvider({ baseUrl: upstream.url, contextLength: 8192, idleMs: 1_000 });
});
afterEach(() => upstream.stop());

const ask = (change = {}) => provider.stream(chatRequest([userMessage('Hello there')], change), patience());

describe('an answer', () => {
  test('becomes reasoning, text, usage and one finish', async () => {
    upstream.behaviour = { thinking: ['hm'], tokens: ['Hel', 'lo'] };
    expect(await collect(ask())).toEqual([
      { type: 'reasoning-delta', text: 'hm' },
      { type: 'text-delta', text: 'Hel' },
      { type: 'text-delta', text: 'lo' },
      { type: 'usage', usage: { promptTokens: 6, completionTokens: 2 } },
      { type: 'finish', reason: 'stop' },
    ]);
  });

  test('with the probability of each token, when asked for', async () => {
    upstream.behaviour = { tokens: ['Hel'] };
    const events = await collect(ask({ options: { topLogprobs: 1 } }));
    const other = { token: 'Hel', logprob: -0.25, bytes: null };
    expect(events).toContainEqual({ type: 'logprobs', tokens: [{ ...other, top: [other] }] });
    expect(upstream.chats[0]).toMatchObject({ logprobs: true, top_logprobs: 1 });
    await collect(ask());
    expect(upstream.chats[1]).not.toHaveProperty('logprobs');
  });

  test('that arrives in one read leaves in one batch', async () => {
    upstream.behaviour = { tokens: ['a', 'b', 'c', 'd'] };
    const batches: number[] = [];
    for await (const batch of ask()) batches.push(batch.length);
    expect(batches.length).toBeLessThan(5);
    expect(batches.reduce((sum, size) => sum + size)).toBe(6);
  });

  test('leaves its connection to the next one', async () => {
    // A server of its own: connections of earlier tests would be opened again.
    const fresh = new FakeOllama();
    await fresh.start();
    const own = new OllamaProvider({ baseUrl: fresh.url, contextLength: 8192 });
    for (let round = 0; round < 8; round++) {
      await collect(own.stream(chatRequest([userMessage('Hello there')]), patience()));
    }
    expect(fresh.connections).toBeLessThanOrEqual(2);
    await fresh.stop();
  });

  test('cut off by length says so', async () => {
    upstream.behaviour = { tokens: ['x'], doneReason: 'length' };
    expect((await collect(ask())).at(-1)).toEqual({ type: 'finish', reason: 'length' });
  });

  test('without tokens has a usage of 0, which Ollama leaves out', async () => {
    upstream.behaviour = { tokens: [] };
    expect(await collect(ask())).toContainEqual({ type: 'usage', usage: { promptTokens: 6, completionTokens: 0 } });
  });

  test('with tool calls finishes with them, each with an id', async () => {
    upstream.behaviour = {
      tokens: [],
      toolCalls: [
        { name: 'search', arguments: { q: 'x' } },
        { id: 'call_7', name: 'stop', arguments: {} },
      ],
    };
    const events = await collect(ask());
    const calls = events.filter((event) => event.type === 'tool-call').map((event) => event.call);
    expect(calls).toEqual([
      { id: expect.stringMatching(/^call_/), name: 'search', argumentsJson: '{"q":"x"}' },
      { id: 'call_7', name: 'stop', argumentsJson: '{}' },
    ]);
    expect(events.at(-1)).toEqual({ type: 'finish', reason: 'tool-calls' });
  });

  test('keeps characters whole that are split between reads', async () => {
    upstream.behaviour = { tokens: ['Prüfung ', '𝔘𝔫𝔦', ' 漢字'], tokenMs: 5 };
    expect(textOfEvents(await collect(ask()))).toBe('Prüfung 𝔘𝔫𝔦 漢字');
  });
});

describe('a request', () => {
  test('asks for a constant context, a cap on the answer, and no silent truncation', async () => {
    await collect(ask({ options: { temperature: 0.2, seed: 7, stop: ['END'] } }));
    expect(upstream.chats[0]).toMatchObject({
      stream: true,
      truncate: false,
      shift: false,
      options: { num_ctx: 8192, num_predict: 4096, temperature: 0.2, seed: 7, stop: ['END'] },
    });
  });

  test('lets the answer grow only as far as the context has room', async () => {
    await collect(ask({ room: 700 }));
    await collect(ask({ room: 700, options: { maxTokens: 50 } }));
    expect(upstream.chats.map(({ options }) => options['num_predict'])).toEqual([700, 50]);
  });

  test('never asks for more context than the model has', async () => {
    const [model] = upstream.models;
    if (!model) throw new Error('no model');
    upstream.models = [{ ...model, context_length: 2048 }];
    await collect(ask());
    upstream.models = [model];
    expect(upstream.chats[0]?.options['num_ctx']).toBe(2048);
  });

  test('carries images as bytes and tool turns in the native form', async () => {
    const messages = [
      {
        role: 'user' as const,
        content: [
          { type: 'text' as const, text: 'look' },
          { type: 'image' as const, mediaType: 'image/png' as const, data: 'aGk=' },
        ],
      },
      {
        role: 'assistant' as const,
        text: '',
        toolCalls: [{ id: 'call_1', name: 'measure', argumentsJson: '{"unit":"m"}' }],
      },
      { role: 'tool' as const, toolCallId: 'call_1', text: '4.0' },
    ];
    await collect(provider.stream(chatRequest(messages), patience()));
    expect(upstream.chats[0]?.messages).toEqual([
      { role: 'user', content: 'look', images: ['aGk='] },
      {
        role: 'assistant',
        content: '',
        tool_calls: [{ id: 'call_1', function: { name: 'measure', arguments: { unit: 'm' } } }],
      },
      { role: 'tool', content: '4.0', tool_name: 'measure', tool_call_id: 'call_1' },
    ]);
  });

  test('sends only a named tool, no tools for "none", and a schema as format', async () => {
    const tool = (name: string) => ({ name, description: undefined, parameters: { type: 'object' } });
    const tools = [tool('a'), tool('b')];
    await collect(ask({ options: { tools, toolChoice: { name: 'b' } } }));
    await collect(
      ask({
        options: {
          tools,
          toolChoice: 'none',
          responseFormat: { type: 'json-schema', name: 'x', schema: { type: 'object' } },
        },
      }),
    );
    expect(upstream.chats[0]?.['tools']).toHaveLength(1);
    expect(upstream.chats[1]).not.toHaveProperty('tools');
    expect(upstream.chats[1]?.['format']).toEqual({ type: 'object' });
  });

  test('has one system message, as the first; a template that refuses it gets its text in the question', async () => {
    upstream.addChatModel('gemma:2b', { template: 'none-or-error' });
    const request = chatRequest(
      [
        { role: 'system', text: 'One.' },
        userMessage('Hello there'),
        { role: 'system', text: 'Two.' },
        userMessage('And now?'),
      ],
      { model: 'gemma:2b' },
    );
    await collect(provider.stream(request, patience()));
    const [first, second] = upstream.chats.slice(-2).map(({ messages }) => messages);
    upstream.models.pop();
    expect(first?.map(({ role, content }) => [role, content])).toEqual([
      ['system', 'One.\n\nTwo.'],
      ['user', 'Hello there'],
      ['user', 'And now?'],
    ]);
    expect(second?.map(({ role }) => role)).toEqual(['user', 'user']);
    expect(second?.map(({ content }) => content).join('\n')).toContain('One.\n\nTwo.');
  });

  test('mentions thinking only to models that can think', async () => {
    await collect(ask({ options: { reasoningEffort: 'low' } }));
    upstream.models.push({
      name: 'thinker:latest',
      capabilities: ['completion', 'thinking'],
      context_length: 8192,
      size: 1,
    });
    provider.forgetModels();
    await collect(ask({ model: 'thinker:latest', options: { reasoningEffort: 'none' } }));
    upstream.models.pop();
    expect(upstream.chats[0]).not.toHaveProperty('think');
    expect(upstream.chats[1]?.['think']).toBe(false);
  });
});

describe('a failure', () => {
  const failure = async (change = {}): Promise<{ code?: string; message?: string }> =>
    collect(ask(change)).then(
      () => ({}),
      (error) => error,
    );

  test('of the connection is "unavailable"', async () => {
    await upstream.stop();
    expect(await failure()).toMatchObject({ code: 'provider_unavailable' });
  });

  test('unknown model is a 404', async () => {
    expect(await failure({ model: 'nope' })).toMatchObject({ code: 'model_not_found', status: 404 });
  });

  test('full queue is "busy" with a time to retry', async () => {
    upstream.behaviour = { status: 503 };
    expect(await failure()).toMatchObject({ code: 'provider_busy', status: 429, retryAfterSeconds: 5 });
  });

  test('a prompt that does not fit is refused, not shortened', async () => {
    const long = chatRequest([userMessage('word '.repeat(20_000)), assistantMessage('ok'), userMessage('go')]);
    await expect(collect(provider.stream(long, patience()))).rejects.toMatchObject({ code: 'context_length_exceeded' });
  });

  test.each([
    ['cut', 'stream_truncated'],
    ['error-line', 'upstream_error'],
    ['malformed-line', 'upstream_error'],
    ['endless-line', 'upstream_error'],
    ['silence', 'upstream_stalled'],
  ] as const)('in mid-stream (%s) is %s, after the text that came', async (fault, code) => {
    upstream.behaviour = { tokens: ['one ', 'two ', 'three'], tokenMs: 20, fault };
    const seen: ModelEvent[] = [];
    const error = await (async () => {
      for await (const batch of ask()) seen.push(...batch);
    })().catch((thrown) => thrown);
    expect(error).toMatchObject({ code });
    expect(String(error.message)).not.toContain('secret words');
    expect(textOfEvents(seen)).toBe('one two ');
  });
});

test.each(['error-line', 'malformed-line', 'cut'] as const)(
  'text that arrives together with its %s is not lost',
  async (fault) => {
    upstream.behaviour = { tokens: ['one ', 'two ', 'three'], fault };
    const seen: ModelEvent[] = [];
    await expect(
      (async () => {
        for await (const batch of ask()) seen.push(...batch);
      })(),
    ).rejects.toBeDefined();
    expect(textOfEvents(seen)).toBe('one two ');
  },
);

describe('cancelling', () => {
  test('before the first byte reaches Ollama', async () => {
    upstream.behaviour = { firstByteMs: 20_000 };
    const controller = new AbortController();
    const answer = collect(provider.stream(chatRequest([userMessage('Hello there')]), controller.signal));
    answer.catch(() => {});
    await eventually(() => upstream.chats.length === 1);
    controller.abort();
    await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
    await eventually(() => upstream.aborted === 1);
  });

  test('in mid-stream reaches Ollama, by signal and by leaving the loop', async () => {
    upstream.behaviour = { tokens: Array.from({ length: 500 }, () => 'word '), tokenMs: 10 };
    const controller = new AbortController();
    for await (const _ of ask()) break;
    await eventually(() => upstream.aborted === 1);
    await expect(
      (async () => {
        for await (const _ of provider.stream(chatRequest([userMessage('Hello there')]), controller.signal))
          controller.abort();
      })(),
    ).rejects.toMatchObject({ name: 'AbortError' });
    await eventually(() => upstream.aborted === 2);
  });
});

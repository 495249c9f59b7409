import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FAKE_ANTHROPIC_KEY, FakeAnthropic } from '../../e2e/upstreams/fake-anthropic';
import { collect, eventually, patience, textOfEvents } from '../testing/collect';
import { assistantMessage, chatRequest, cited, userMessage } from '../testing/requests';
import { AnthropicProvider } from './anthropic';

const upstream = new FakeAnthropic();
let provider: AnthropicProvider;

beforeEach(async () => {
  await upstream.start();
  upstream.behaviour = {};
  upstream.calls.length = 0;
  upstream.aborted = 0;
  provider = new AnthropicProvider({ apiKey: FAKE_ANTHROPIC_KEY, baseUrl: upstream.url, idleMs: 500 });
});
afterEach(() => upstream.stop());

const ask = (change = {}, messages = [userMessage('What is the diameter?')]) =>
  provider.stream(chatRequest(messages, { model: 'claude-sonnet-5-5', ...change }), patience());

describe('an answer', () => {
  test('cites passages by their numbers after the block that rests on them', async () => {
    const events = await collect(ask({ passages: [cited(3), cited(4)], retrieval: 'ok' }));
    const last = events.findLastIndex((event) => event.type === 'text-delta');
    expect(textOfEvents(events)).toContain('The documents say: The fairing has an external diameter');
    expect(events[last + 1]).toEqual({ type: 'citation', passages: [3] });
  });

  test('counts cached tokens as prompt and ends with the cumulative usage', async () => {
    upstream.behaviour = { tokens: ['Hi'] };
    const events = await collect(ask());
    expect(events.filter((event) => event.type === 'usage').at(-1)).toEqual({
      type: 'usage',
      usage: { promptTokens: 150, cachedTokens: 30, cacheWriteTokens: 0, completionTokens: 25 },
    });
    expect(events.at(-1)).toEqual({ type: 'finish', reason: 'stop' });
  });

  test('maps thinking, tool use and stop reasons', async () => {
    upstream.behaviour = {
      thinking: ['let me see'],
      tokens: [],
      toolUse: { id: 'toolu_1', name: 'measure', json: ['{"un', 'it":"m"}'] },
    };
    const events = await collect(ask());
    expect(events).toContainEqual({ type: 'reasoning-delta', text: 'let me see' });
    expect(events).toContainEqual({
      type: 'tool-call',
      call: { id: 'toolu_1', name: 'measure', argumentsJson: '{"unit":"m"}' },
    });
    expect(events.at(-1)).toEqual({ type: 'finish', reason: 'tool-calls' });
    upstream.behaviour = { tokens: ['x'], stopReason: 'refusal', explanation: 'This is not for me.' };
    expect((await collect(ask())).at(-1)).toEqual({
      type: 'finish',
      reason: 'content-filter',
      refusal: 'This is not for me.',
    });
  });

  test('a tool call without arguments has an empty object', async () => {
    upstream.behaviour = { tokens: [], toolUse: { id: 'toolu_1', name: 'now', json: [''] } };
    expect(await collect(ask())).toContainEqual({
      type: 'tool-call',
      call: { id: 'toolu_1', name: 'now', argumentsJson: '{}' },
    });
  });
});

describe('a request', () => {
  test('puts passages as search results before the question and the system text on top, cached', async () => {
    const messages = [
      { role: 'system' as const, text: 'Be brief.' },
      userMessage('Hello'),
      assistantMessage('Hi'),
      userMessage('And the diameter?'),
    ];
    await collect(ask({ passages: [cited(1, { text: 'one\n\ntwo' })], retrieval: 'ok' }, messages));
    const [call] = upstream.calls;
    expect(call?.system).toEqual([{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }]);
    expect(call?.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    expect(call?.messages[2]?.content).toEqual([
      {
        type: 'search_result',
        source: 'passage:1',
        title: 'ECSS-E-ST-32-08C.pdf, page 45: 4.3 Fairing',
        content: [
          { type: 'text', text: 'one' },
          { type: 'text', text: 'two' },
        ],
        citations: { enabled: true },
      },
      { type: 'text', text: 'And the diameter?' },
    ]);
  });

  test('drops what the API refuses and caps the answer at the model’s limit', async () => {
    await collect(ask({ options: { temperature: 0.3, topP: 0.9, seed: 1, maxTokens: 900_000, stop: ['END', '  '] } }));
    const [call] = upstream.calls;
    expect(call).not.toHaveProperty('temperature');
    expect(call).not.toHaveProperty('top_p');
    expect(call?.max_tokens).toBe(64_000);
    expect(call?.['stop_sequences']).toEqual(['END']);
    expect(provider.ignores({ temperature: 0.3, topP: 0.9, seed: 1, maxTokens: 9, toolChoice: 'required' })).toEqual([
      'temperature',
      'topP',
      'seed',
      'toolChoice',
    ]);
  });

  test('merges turns, wraps late system texts, and puts all tool results first', async () => {
    const calls = ['a', 'b'].map((id) => ({ id, name: 'measure', argumentsJson: '{}' }));
    await collect(
      ask({}, [
        userMessage('one'),
        userMessage('two'),
        { role: 'assistant', text: ' ', toolCalls: calls },
        { role: 'tool', toolCallId: 'a', text: '1' },
        { role: 'tool', toolCallId: 'b', text: '2' },
        { role: 'system', text: 'late' },
      ]),
    );
    expect(upstream.calls[0]?.messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'one' },
          { type: 'text', text: 'two' },
        ],
      },
      { role: 'assistant', content: calls.map(({ id }) => ({ type: 'tool_use', id, name: 'measure', input: {} })) },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'a', content: '1' },
          { type: 'tool_result', tool_use_id: 'b', content: '2' },
          { type: 'text', text: '<system-reminder>\nlate\n</system-reminder>' },
        ],
      },
    ]);
  });

  test('refuses a prefill and an empty conversation before anything is sent', async () => {
    await expect(collect(ask({}, [userMessage('Hi'), assistantMessage('The')]))).rejects.toMatchObject({
      code: 'invalid_request',
    });
    await expect(collect(ask({}, [userMessage('  ')]))).rejects.toMatchObject({ code: 'invalid_request' });
    expect(upstream.calls).toEqual([]);
  });

  test('for JSON of a schema sends the form the API takes, for any JSON says so, and refuses logprobs', async () => {
    const schema = { type: 'object', properties: { n: { type: 'integer', minimum: 1 } }, required: ['n'] };
    await collect(ask({ options: { responseFormat: { type: 'json-schema', name: 'x', schema } } }));
    expect(upstream.calls[0]?.['output_config']).toMatchObject({
      format: { type: 'json_schema', schema: { additionalProperties: false, required: ['n'] } },
    });
    await collect(ask({ options: { responseFormat: { type: 'json' } } }));
    expect(upstream.calls[1]?.system?.at(-1)?.text).toContain('one JSON object');
    const untyped = { type: 'json-schema', name: 'x', schema: { properties: {} } } as const;
    await expect(collect(ask({ options: { responseFormat: untyped } }))).rejects.toMatchObject({
      param: 'response_format.json_schema.schema',
    });
    await expect(collect(ask({ options: { topLogprobs: 0 } }))).rejects.toMatchObject({
      code: 'unsupported_parameter',
      param: 'logprobs',
    });
    expect(upstream.calls.length).toBe(2);
  });

  test('maps effort; "none" turns thinking off where the model allows it', async () => {
    await collect(ask({ options: { reasoningEffort: 'minimal' } }));
    await collect(ask({ options: { reasoningEffort: 'none' } }));
    expect(upstream.calls[0]?.['output_config']).toEqual({ effort: 'low' });
    expect(upstream.calls[1]?.['thinking']).toEqual({ type: 'disabled' });
  });
});

describe('a failure', () => {
  test('of the key is the server’s fault and hides the key', async () => {
    const wrong = new AnthropicProvider({ apiKey: 'sk-ant-wrong-key', baseUrl: upstream.url });
    const error = await collect(
      wrong.stream(chatRequest([userMessage('Hi')], { model: 'claude-sonnet-5-5' }), patience()),
    ).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'provider_auth', status: 502 });
    expect(error.message).not.toContain('sk-ant');
  });

  test('overload before the first byte is tried again, at most twice', async () => {
    const overloaded = { status: 529, type: 'overloaded_error' };
    upstream.behaviour = { tokens: ['ok'], statuses: [overloaded, overloaded] };
    expect(textOfEvents(await collect(ask()))).toBe('ok');
    upstream.behaviour = { tokens: ['ok'], statuses: [overloaded, overloaded, overloaded] };
    await expect(collect(ask())).rejects.toMatchObject({ code: 'provider_unavailable', status: 503 });
    expect(upstream.calls.length).toBe(6);
  });

  test('a long retry-after is handed on, not obeyed; a spend limit is not tried again', async () => {
    upstream.behaviour = { statuses: [{ status: 429, type: 'rate_limit_error', retryAfter: '3600' }] };
    await expect(collect(ask())).rejects.toMatchObject({ code: 'rate_limit_exceeded', retryAfterSeconds: 3600 });
    upstream.behaviour = { statuses: [{ status: 429, type: 'rate_limit_error' }] };
    await expect(collect(ask())).rejects.toMatchObject({ code: 'rate_limit_exceeded', retryAfterSeconds: undefined });
    expect(upstream.calls.length).toBe(2);
  });

  test('a refused request names the reason', async () => {
    upstream.behaviour = {
      statuses: [{ status: 400, type: 'invalid_request_error', message: 'max_tokens: too many' }],
    };
    await expect(collect(ask())).rejects.toThrow(/max_tokens: too many/);
  });

  test.each([
    ['cut', 'stream_truncated'],
    ['overloaded', 'provider_unavailable'],
    ['pings-only', 'upstream_stalled'],
  ] as const)('in mid-stream (%s) is %s', async (fault, code) => {
    upstream.behaviour = { tokens: ['one ', 'two ', 'three'], fault };
    await expect(collect(ask())).rejects.toMatchObject({ code });
  });

  test('of the connection is "unavailable"', async () => {
    await upstream.stop();
    await expect(collect(ask())).rejects.toMatchObject({ code: 'provider_unavailable' });
  });
});

test('leaving the loop and aborting both reach the API', async () => {
  upstream.behaviour = { tokens: Array.from({ length: 500 }, () => 'word '), tokenMs: 10 };
  for await (const _ of ask()) break;
  await eventually(() => upstream.aborted === 1);
  const controller = new AbortController();
  const request = chatRequest([userMessage('Hi')], { model: 'claude-sonnet-5-5' });
  await expect(
    (async () => {
      for await (const _ of provider.stream(request, controller.signal)) controller.abort();
    })(),
  ).rejects.toBeDefined();
  await eventually(() => upstream.aborted === 2);
});

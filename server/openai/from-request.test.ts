import { describe, expect, test } from 'vitest';
import { fromChatCompletion } from './from-request';

const headers = new Headers();
const body = (change: object = {}) => ({ model: 'm', messages: [{ role: 'user', content: 'Hello' }], ...change });
const decode = (change: object = {}, with_ = headers) => fromChatCompletion(body(change), with_);
const failure = (change: object) => {
  try {
    decode(change);
  } catch (error) {
    return error;
  }
  throw new Error('it was accepted');
};

describe('a request', () => {
  test('becomes messages and options, null meaning absent', () => {
    const call = decode({
      stream: true,
      stream_options: { include_usage: true },
      temperature: null,
      max_tokens: 5,
      max_completion_tokens: 7,
      stop: 'END',
      messages: [
        {
          role: 'developer',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'look' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=' } },
          ],
        },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'c1', type: 'function', function: { name: 'f', arguments: '' } }],
        },
        { role: 'tool', tool_call_id: 'c1', content: '4' },
      ],
    });
    expect(call).toMatchObject({ stream: true, includeUsage: true, ignored: [] });
    expect(call.request.options).toMatchObject({ maxTokens: 7, stop: ['END'] });
    expect(call.request.options.temperature).toBeUndefined();
    expect(call.request.messages).toEqual([
      { role: 'system', text: 'a\nb' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'look' },
          { type: 'image', mediaType: 'image/png', data: 'aGk=' },
        ],
      },
      { role: 'assistant', text: '', toolCalls: [{ id: 'c1', name: 'f', argumentsJson: '{}' }] },
      { role: 'tool', toolCallId: 'c1', text: '4' },
    ]);
  });

  test('names the fields it ignored', () => {
    expect(decode({ store: true, num_ctx: 4096, tools: [] }).ignored).toEqual(['store', 'num_ctx']);
  });

  test('reads its own retrieval options', () => {
    expect(decode({ rag: { enabled: false, top_k: 8, min_score: 0.4 } }).request.rag).toEqual({
      enabled: false,
      topK: 8,
      minScore: 0.4,
      collections: undefined,
    });
  });
});

describe('retrieval of one request', () => {
  const with_ = (values: Record<string, string>, change = {}) => decode(change, new Headers(values));

  test('can be set by headers, the body wins', () => {
    const headers = { 'x-ivy-rag': 'off', 'x-ivy-top-k': '8', 'x-ivy-min-score': '0.4', 'x-ivy-collections': 'a, b' };
    expect(with_(headers).request.rag).toEqual({ enabled: false, topK: 8, minScore: 0.4, collections: ['a', 'b'] });
    expect(with_(headers, { rag: { enabled: true, top_k: 2 } }).request.rag).toMatchObject({
      enabled: true,
      topK: 2,
      minScore: 0.4,
    });
    for (const name of ['x-ivy-rag', 'x-ivy-citations']) {
      expect(() => with_({ [name]: 'banana' })).toThrow(expect.objectContaining({ status: 400, param: name }));
    }
    expect(() => with_({ 'x-ivy-top-k': 'many' })).toThrow(
      expect.objectContaining({ status: 400, param: 'x-ivy-top-k' }),
    );
  });

  test('numbers passages after the sources that Open WebUI put into the prompt', () => {
    const content = '### Task:\n<context>\n<source id="1">a</source><source id="2">b</source>\n</context>\nWhat?';
    expect(decode({ messages: [{ role: 'user', content }] }).request.firstCitation).toBe(3);
    expect(decode().request.firstCitation).toBe(1);
  });

  test('a JSON answer gets neither footnotes nor annotations', () => {
    expect(decode({ response_format: { type: 'json_object' } }).citations).toBe('none');
    expect(decode({ rag: { citations: 'footnotes' } }).citations).toBe('footnotes');
    expect(decode({ rag: { citations: 'footnotes' }, response_format: { type: 'json_object' } }).citations).toBe(
      'none',
    );
  });
});

const tool = { type: 'function', function: { name: 'f' } };
const call = (args: string) => ({ id: 'c', type: 'function', function: { name: 'f', arguments: args } });

describe('tools', () => {
  const two = [tool, { type: 'function', function: { name: 'g' } }];
  const options = (change: object) => decode({ tools: two, ...change }).request.options;
  test('can be chosen by name, or limited to some', () => {
    expect(options({ tool_choice: { type: 'function', function: { name: 'g' } } }).toolChoice).toEqual({ name: 'g' });
    const limited = options({
      tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [tool] } },
    });
    expect([limited.toolChoice, limited.tools?.map(({ name }) => name)]).toEqual(['required', ['f']]);
  });

  test('win over the old form, which is reported', () => {
    expect(decode({ tools: two, functions: [{ name: 'f' }], function_call: 'auto' }).ignored).toEqual([
      'functions',
      'function_call',
    ]);
    expect(decode({ store: null, metadata: null, functions: null }).ignored).toEqual([]);
  });
});

test('probabilities of tokens, and who asks', () => {
  expect(decode({ logprobs: true }).request.options.topLogprobs).toBe(0);
  expect(decode({ logprobs: true, top_logprobs: 20 }).request.options.topLogprobs).toBe(20);
  expect(decode({ logprobs: false }).request.options.topLogprobs).toBeUndefined();
  expect(decode({ safety_identifier: 'u1' }).request.user).toBe('u1');
});

describe('a bad request is a 400 that names the field', () => {
  test.each([
    [{ messages: undefined }, 'messages'],
    [{ messages: [] }, 'messages'],
    [{ model: 7 }, 'model'],
    [
      {
        messages: [
          { role: 'user', content: 'x' },
          { role: 'function', content: 'x' },
        ],
      },
      'messages[1].role',
    ],
    [
      { messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: {} }] }] },
      'messages[0].content[0].type',
    ],
    [
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: '/etc/passwd' } }] }] },
      'messages[0].content[0].image_url.url',
    ],
    [
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'http://127.0.0.1/x.png' } }] }] },
      'messages[0].content[0].image_url.url',
    ],
    [
      {
        messages: [
          { role: 'assistant', content: null },
          { role: 'user', content: 'x' },
        ],
      },
      'messages[0].content',
    ],
    [{ messages: [{ role: 'tool', tool_call_id: 'nope', content: 'x' }] }, 'messages[0].tool_call_id'],
    [{ temperature: 3 }, 'temperature'],
    [{ max_tokens: -2 }, 'max_tokens'],
    [{ stop: ['1', '2', '3', '4', '5'] }, 'stop'],
    [{ n: 2 }, 'n'],
    [{ rag: { top_k: 0 } }, 'rag.top_k'],
    [{ rag: { topk: 3 } }, 'rag'],
    [{ tools: [{ type: 'custom', custom: { name: 'f' } }] }, 'tools[0].type'],
    [{ tools: [{ ...tool, function: { name: 'has space' } }] }, 'tools[0].function.name'],
    [{ tool_choice: 'required' }, 'tool_choice'],
    [{ tools: [tool], tool_choice: { type: 'function', function: { name: 'g' } } }, 'tool_choice'],
    [{ tools: Array.from({ length: 129 }, () => tool) }, 'tools'],
    [{ response_format: { type: 'grammar' } }, 'response_format.type'],
    [{ reasoning_effort: 'much' }, 'reasoning_effort'],
    [{ frequency_penalty: -3 }, 'frequency_penalty'],
    [{ top_logprobs: 3 }, 'top_logprobs'],
    [{ logprobs: true, top_logprobs: 21 }, 'top_logprobs'],
    [{ modalities: ['text', 'audio'] }, 'modalities'],
    [{ audio: { voice: 'x' } }, 'audio'],
    [{ functions: [{ name: 'f' }] }, 'functions'],
    [{ messages: [{ role: 'user', content: [{ type: 'file', file: {} }] }] }, 'messages[0].content[0].type'],
    [{ messages: [{ role: 'assistant', tool_calls: [call('[1]')] }] }, 'messages[0].tool_calls[0].function.arguments'],
  ])('%j', (change, param) =>
    expect(failure(change)).toMatchObject({ status: 400, param, message: expect.stringContaining(param) }),
  );

  test.each([null, [], 'x', 7])('a body that is %j', (value) => {
    expect(() => fromChatCompletion(value, headers)).toThrow(expect.objectContaining({ status: 400 }));
  });
});

test('a list that no model could read is refused before its items are looked at', () => {
  expect(() => decode({ messages: Array.from({ length: 5_001 }, () => ({})) })).toThrow(/at most 5000 items/);
});

test('what peers take is taken as they take it', () => {
  expect(decode({ max_tokens: -1, functions: [], function_call: 'none' }).request.options.maxTokens).toBeUndefined();
  expect(
    decode({
      messages: [
        { role: 'assistant', content: null, tool_calls: [] },
        { role: 'user', content: 'x' },
      ],
    }).request.messages[0],
  ).toEqual({
    role: 'assistant',
    text: '',
    toolCalls: [],
  });
  const image = { type: 'image_url', image_url: 'data:image/png;base64,aGk=' };
  expect(decode({ messages: [{ role: 'user', content: [image] }] }).request.messages[0]).toMatchObject({
    content: [{ type: 'image', mediaType: 'image/png', data: 'aGk=' }],
  });
});

describe('background tasks of Open WebUI', () => {
  const task = (content: string, change = {}) =>
    decode({ messages: [{ role: 'user', content }], ...change }).request.task;
  test('are known by their header', () => {
    const named = new Headers({ 'x-openwebui-task': 'title_generation' });
    expect(decode({}, named).request.task).toBe('title_generation');
    expect(
      decode(
        { messages: [{ role: 'user', content: '### Task:\nGenerate a concise title' }] },
        new Headers({ 'x-openwebui-task': '' }),
      ).request.task,
    ).toBeUndefined();
  });
  test('or by the shape of their template, but not by "### Task:" alone', () => {
    expect(task('### Task:\nGenerate 1-3 broad tags categorizing…')).toBe('background');
    expect(task('Your task is to reflect the speaker’s likely facial expression through a fitting emoji')).toBe(
      'background',
    );
    expect(
      decode({
        messages: [
          { role: 'system', content: 'Available Tools: [{"name":"x"}]' },
          { role: 'user', content: 'Query: History' },
        ],
      }).request.task,
    ).toBe('background');
    expect(task('### Task:\nRespond to the user query using the provided context')).toBeUndefined();
    expect(task('### Task:\nGenerate a concise title', { stream: true })).toBeUndefined();
  });
});

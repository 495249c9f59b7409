import { describe, expect, test } from 'vitest';
import { AppError } from '../core/errors';
import type { RunEvent } from '../core/run';
import { CitationWriter } from './citation-writer';
import { HeaderFacts } from './headers';
import { ChunkEncoder } from './to-chunks';
import { toChatCompletion } from './to-completion';

const head = {
  id: 'chatcmpl-1',
  created: 1_700_000_000,
  model: 'ivy-orchestrator',
  requestId: 'req_1',
  includeUsage: true,
};
const prefix =
  'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"ivy-orchestrator","choices":';
const retrieval: RunEvent = {
  type: 'retrieval',
  state: 'ok',
  query: 'q',
  passages: [],
  candidates: [],
  timings: {},
  durationMs: 1,
};
const events: RunEvent[] = [
  { type: 'reasoning-delta', text: 'hm' },
  { type: 'text-delta', text: 'a "b"\n' },
  { type: 'text-delta', text: 'c' },
  { type: 'tool-call', call: { id: 'call_1', name: 'f', argumentsJson: '{"x":1}' } },
  { type: 'tool-call', call: { id: 'call_2', name: 'g', argumentsJson: '{}' } },
  { type: 'usage', usage: { promptTokens: 10, completionTokens: 4, cachedTokens: 2 } },
  { type: 'finish', reason: 'tool-calls' },
];

const silent = () => new CitationWriter('none', { publicUrl: 'http://ivy.example', requestId: 'req_1' });

describe('a stream', () => {
  test('is written byte for byte as OpenAI clients expect it', () => {
    const encoder = new ChunkEncoder(head, silent());
    const chunk = (delta: string, finish = 'null') =>
      `${prefix}[{"index":0,"delta":${delta},"logprobs":null,"finish_reason":${finish}}]}\n\n`;
    expect(encoder.encode([retrieval])).toBe('');
    expect(encoder.encode(events)).toBe(
      `${prefix}[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"ivy":{"request_id":"req_1","rag":{"state":"ok","reason":null}}}\n\n` +
        chunk('{"reasoning_content":"hm"}') +
        chunk('{"content":"a \\"b\\"\\nc"}') +
        chunk(
          '{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"f","arguments":"{\\"x\\":1}"}}]}',
        ) +
        chunk('{"tool_calls":[{"index":1,"id":"call_2","type":"function","function":{"name":"g","arguments":"{}"}}]}') +
        chunk('{}', '"tool_calls"'),
    );
    expect(encoder.end()).toBe(
      `${prefix}[],"usage":{"prompt_tokens":10,"completion_tokens":4,"total_tokens":14,"prompt_tokens_details":{"cached_tokens":2,"cache_write_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}\n\ndata: [DONE]\n\n`,
    );
  });

  test('sends usage only when asked', () => {
    expect(new ChunkEncoder({ ...head, includeUsage: false }, silent()).end()).toBe('data: [DONE]\n\n');
  });

  test('ends a failure with an error without choices, never with a finish', () => {
    const frame = new ChunkEncoder(head, silent()).fail(new AppError('stream_truncated', 'cut'));
    expect(frame).toBe(
      'data: {"error":{"message":"cut","type":"server_error","param":null,"code":"stream_truncated"}}\n\ndata: [DONE]\n\n',
    );
  });

  test('cuts long arguments of a call, under the index of the call', () => {
    const argumentsJson = JSON.stringify({ text: '𝔘"\\'.repeat(10_000) });
    const call = { id: 'call_1', name: 'f', argumentsJson };
    const out = new ChunkEncoder(head, silent()).encode([
      { type: 'tool-call', call: { ...call, id: 'call_0', argumentsJson: '{}' } },
      { type: 'tool-call', call },
    ]);
    const lines = out.split('\n').filter((line) => line !== '');
    expect(Math.max(...lines.map((line) => Buffer.byteLength(line)))).toBeLessThan(64 * 1024);
    const pieces = lines.flatMap((line) => JSON.parse(line.slice(6)).choices[0].delta.tool_calls ?? []);
    const second = pieces.filter(({ index }) => index === 1);
    expect(second.map(({ function: { arguments: piece } }) => piece).join('')).toBe(argumentsJson);
    expect(second.filter(({ id }) => id !== undefined)).toHaveLength(1);
  });

  test('keeps every line under 64 KiB and every character whole', () => {
    const text = '𝔘"\\\n'.repeat(20_000);
    const out = new ChunkEncoder(head, silent()).encode([{ type: 'text-delta', text }]);
    const lines = out.split('\n').filter((line) => line !== '');
    expect(Math.max(...lines.map((line) => Buffer.byteLength(line)))).toBeLessThan(64 * 1024);
    const joined = lines.map((line) => JSON.parse(line.slice(6)).choices[0].delta.content).join('');
    expect(joined).toBe(text);
  });
});

describe('what not every answer has', () => {
  const token = { token: 'a', logprob: -0.5, bytes: null, top: [] };
  const rare: RunEvent[] = [
    { type: 'text-delta', text: 'a' },
    { type: 'logprobs', tokens: Array.from({ length: 30 }, () => token) },
    { type: 'finish', reason: 'content-filter', refusal: 'No.' },
  ];

  test('streams: probabilities a few tokens at a time, a refusal before the finish', () => {
    const chunks = new ChunkEncoder(head, silent())
      .encode(rare)
      .split('\n\n')
      .filter((frame) => frame !== '')
      .map((frame) => JSON.parse(frame.slice(6)).choices[0]);
    const lists = chunks.flatMap(({ logprobs }) => (logprobs ? [logprobs.content.length] : []));
    expect(lists).toEqual([20, 10]);
    expect(chunks.at(-2).delta).toEqual({ refusal: 'No.' });
    expect(chunks.at(-1).finish_reason).toBe('content_filter');
  });

  test('comes in whole answers too', async () => {
    const { choices } = await toChatCompletion(
      (async function* () {
        yield rare;
      })(),
      head,
      { facts: new HeaderFacts([]), citations: silent() },
    );
    expect(choices[0]).toMatchObject({ message: { content: 'a', refusal: 'No.' }, finish_reason: 'content_filter' });
    expect(choices[0]?.logprobs?.content[0]).toEqual({ token: 'a', logprob: -0.5, bytes: null, top_logprobs: [] });
  });
});

describe('a whole answer', () => {
  test('is collected from the same events', async () => {
    const completion = await toChatCompletion(
      (async function* () {
        yield [retrieval];
        yield events;
      })(),
      head,
      { facts: new HeaderFacts([]), citations: silent() },
    );
    expect(completion).toMatchObject({
      object: 'chat.completion',
      choices: [
        {
          index: 0,
          logprobs: null,
          finish_reason: 'tool_calls',
          message: {
            role: 'assistant',
            content: 'a "b"\nc',
            refusal: null,
            reasoning_content: 'hm',
            tool_calls: [
              { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"x":1}' } },
              { id: 'call_2' },
            ],
          },
        },
      ],
      usage: { total_tokens: 14 },
      ivy: { request_id: 'req_1', rag: { state: 'ok', reason: null } },
    });
  });

  test('without a finish is an error', async () => {
    const cut = (async function* () {
      yield [{ type: 'text-delta', text: 'x' } as const];
    })();
    await expect(
      toChatCompletion(cut, head, { facts: new HeaderFacts([]), citations: silent() }),
    ).rejects.toMatchObject({ code: 'stream_truncated' });
  });
});

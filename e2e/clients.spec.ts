import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { AIMessageChunk, HumanMessage, ToolMessage } from '@langchain/core/messages';
import { tool as langchainTool } from '@langchain/core/tools';
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { APICallError, embed, generateText, Output, stepCountIs, streamText, tool } from 'ai';
import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { expect, test } from 'playwright/test';
import { z } from 'zod';
import { Ivy, until } from './ivy';
import { chatChunk, checkingFetch, expectConformance, validated } from './openai-shapes';
import { FakeOllama } from './upstreams/fake-ollama';

// The clients that people use, as they come, on real sockets. Every body and every chunk they receive is
// checked against OpenAI's published shapes on its way.

const QUESTION = 'What is the payload fairing design?';
const MODEL = 'ivy-orchestrator';
const PLAIN = 'ollama/llama3.1:latest';
/** One pixel. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const weather = z.object({ city: z.string() });
const answerSchema = z.object({ diameter: z.number(), unit: z.string() });
const STRUCTURED = ['{"diameter": 4, ', '"unit": "m"}'];
const twoCalls = [
  { id: 'call_a', name: 'weather', arguments: { city: 'Kourou' } },
  { name: 'weather', arguments: { city: 'Sriharikota' } },
];

const ollama = new FakeOllama();
let ivy: Ivy;
let baseURL = '';
test.beforeAll(async () => {
  await ollama.start();
  for (const model of ollama.models) model.capabilities.push('vision', 'thinking');
  ollama.models.push({ name: 'embed:latest', capabilities: ['embedding'], context_length: 2048, size: 1 });
  ivy = await Ivy.start({ env: { OLLAMA_BASE_URL: ollama.url } });
  await ivy.settled();
  baseURL = `${ivy.url}/v1`;
});
test.afterAll(async () => {
  await ivy.stop();
  await ollama.stop();
});
test.beforeEach(() => {
  ollama.behaviour = {};
  ollama.chats.length = 0;
  ollama.aborted = 0;
});
test.afterEach(() => expectConformance());

/** The next chat calls tools; the one after it, which brings their results, answers. */
function callThenAnswer() {
  ollama.script = [{ tokens: [], toolCalls: twoCalls }, { tokens: ['Warm ', 'in both.'] }];
}

const lastChat = () => ollama.chats.at(-1);

test.describe('openai', () => {
  const open = () => new OpenAI({ baseURL, apiKey: 'not-needed', maxRetries: 0, fetch: checkingFetch });

  test('chat, whole and streamed, with usage, reasoning and annotations', async () => {
    const whole = await open().chat.completions.create({
      model: MODEL,
      messages: [{ role: 'user', content: QUESTION }],
    });
    expect(whole.choices[0]?.message.annotations?.length).toBeGreaterThan(0);
    ollama.behaviour = { thinking: ['let me ', 'see'], tokens: ['Größe ', '漢字 ', '👩‍🚀.'] };
    const runner = open().chat.completions.stream({
      model: PLAIN,
      messages: [{ role: 'user', content: 'Hi' }],
      stream_options: { include_usage: true },
    });
    const { choices, usage } = await runner.finalChatCompletion();
    expect(choices[0]?.message).toMatchObject({ content: 'Größe 漢字 👩‍🚀.', reasoning_content: 'let me see' });
    expect(usage?.completion_tokens).toBe(3);
  });

  test('two tool calls in one turn, their results, and the answer', async () => {
    callThenAnswer();
    const runner = open().chat.completions.runTools({
      model: PLAIN,
      stream: true,
      messages: [{ role: 'user', content: 'Weather?' }],
      tools: [
        {
          type: 'function',
          function: {
            name: 'weather',
            description: 'The weather in a city',
            function: ({ city }: { city: string }) => `28 °C in ${city}`,
            parse: (text: string) => weather.parse(JSON.parse(text)),
            parameters: { type: 'object', properties: { city: { type: 'string' } } },
          },
        },
      ],
    });
    expect(await runner.finalContent()).toBe('Warm in both.');
    const results = lastChat()?.messages.filter(({ role }) => role === 'tool');
    expect(results).toMatchObject([
      { content: '28 °C in Kourou', tool_name: 'weather', tool_call_id: 'call_a' },
      { content: '28 °C in Sriharikota', tool_name: 'weather' },
    ]);
    expect(lastChat()?.messages.find(({ role }) => role === 'assistant')?.tool_calls).toMatchObject([
      { function: { arguments: { city: 'Kourou' } } },
      { function: { arguments: { city: 'Sriharikota' } } },
    ]);
  });

  test('structured output, images, probabilities', async () => {
    ollama.behaviour = { tokens: STRUCTURED };
    const parsed = await open().chat.completions.parse({
      model: MODEL,
      messages: [{ role: 'user', content: QUESTION }],
      response_format: zodResponseFormat(answerSchema, 'answer'),
    });
    expect(parsed.choices[0]?.message.parsed).toEqual({ diameter: 4, unit: 'm' });
    expect(lastChat()?.['format']).toMatchObject({ type: 'object', required: ['diameter', 'unit'] });
    await open().chat.completions.create({
      model: MODEL,
      messages: [{ role: 'user', content: QUESTION }],
      response_format: { type: 'json_object' },
    });
    expect(lastChat()?.['format']).toBe('json');
    const seen = await open().chat.completions.create({
      model: PLAIN,
      logprobs: true,
      top_logprobs: 2,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is this?' },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } },
          ],
        },
      ],
    });
    expect(lastChat()?.messages[0]).toMatchObject({ content: 'What is this?', images: [PNG] });
    expect(seen.choices[0]?.logprobs?.content?.[0]?.top_logprobs).toHaveLength(2);
    const stream = open().chat.completions.stream({
      model: PLAIN,
      logprobs: true,
      messages: [{ role: 'user', content: 'x' }],
    });
    expect((await stream.finalChatCompletion()).choices[0]?.logprobs?.content).toHaveLength(STRUCTURED.length);
  });

  test('errors have status, type, code and param', async () => {
    const ask = (change: object) =>
      open().chat.completions.create({ model: PLAIN, messages: [{ role: 'user', content: 'x' }], ...change });
    await expect(ask({ model: 'gpt-4' })).rejects.toMatchObject({
      status: 404,
      type: 'invalid_request_error',
      code: 'model_not_found',
      param: 'model',
    });
    await expect(ask({ n: 2 })).rejects.toMatchObject({ status: 400, code: 'unsupported_value', param: 'n' });
    await expect(ask({ messages: [{ role: 'user', content: 'long '.repeat(20_000) }] })).rejects.toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
      param: 'messages',
    });
    ollama.behaviour = { status: 503 };
    await expect(ask({})).rejects.toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
  });

  test('embeddings (base64 under the hood), models, legacy completions', async () => {
    const { data } = await open().embeddings.create({ model: 'ollama/embed', input: ['abcd', 'z'] });
    expect(data[0]?.embedding.map((value) => Number(value.toFixed(3)))).toEqual([0.04, 0.097, 0.25]);
    const ids = (await open().models.list()).data.map(({ id }) => id);
    expect(ids).toEqual([MODEL, PLAIN]);
    expect((await open().models.retrieve(PLAIN)).id).toBe(PLAIN);
    expect((await open().completions.create({ model: PLAIN, prompt: 'x' })).choices[0]?.text).toContain('no documents');
  });

  test('cancellation', async () => {
    ollama.behaviour = { tokens: Array.from({ length: 500 }, () => 'word '), tokenMs: 20 };
    const stream = await open().chat.completions.create({
      model: PLAIN,
      stream: true,
      messages: [{ role: 'user', content: 'x' }],
    });
    for await (const _ of stream) stream.controller.abort();
    await until(() => ollama.aborted === 1);
  });

  test('responses, whole and streamed, with the same text and citations that fit it', async () => {
    const whole = await open().responses.create({ model: MODEL, instructions: 'Be brief.', input: QUESTION });
    expect(whole.output_text).toMatch(/\[1\]/);
    const runner = open().responses.stream({ model: MODEL, instructions: 'Be brief.', input: QUESTION });
    const types: string[] = [];
    let sequence = 0;
    for await (const event of runner) {
      expect(event.sequence_number).toBe(sequence++);
      if (types.at(-1) !== event.type) types.push(event.type);
    }
    expect(types).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.output_text.annotation.added',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ]);
    const [message] = (await runner.finalResponse()).output;
    if (message?.type !== 'message' || message.content[0]?.type !== 'output_text') throw new Error('no message');
    const { text, annotations } = message.content[0];
    expect(text).toBe(whole.output_text);
    const [citation] = annotations;
    if (citation?.type !== 'url_citation') throw new Error('no citation');
    expect([...text].slice(citation.start_index, citation.end_index).join('')).toBe('[1]');
    expect(citation.url).toContain('/view/doc_');
  });
  test('responses with reasoning, function calls, structured output and images', async () => {
    callThenAnswer();
    ollama.script[0] = { ...ollama.script[0], thinking: ['which ', 'city?'] };
    const input: OpenAI.Responses.ResponseInput = [
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'Weather?' },
          { type: 'input_image', image_url: `data:image/png;base64,${PNG}`, detail: 'auto' },
        ],
      },
    ];
    const tools: OpenAI.Responses.Tool[] = [
      { type: 'function', name: 'weather', parameters: { type: 'object' }, strict: false },
      { type: 'web_search' },
    ];
    const runner = open().responses.stream({ model: PLAIN, input, tools });
    const called = await runner.finalResponse();
    expect(called.output.map(({ type }) => type)).toEqual(['reasoning', 'function_call', 'function_call']);
    expect(lastChat()?.messages[0]?.images).toEqual([PNG]);
    const results = called.output.flatMap((item) =>
      item.type === 'function_call'
        ? [{ type: 'function_call_output' as const, call_id: item.call_id, output: '28 °C' }]
        : [],
    );
    const { data, response } = await open()
      .responses.create({
        model: PLAIN,
        input: [...input, ...(called.output as OpenAI.Responses.ResponseInputItem[]), ...results],
        tools,
      })
      .withResponse();
    expect(data.output_text).toBe('Warm in both.');
    expect(response.headers.get('x-ivy-ignored-params')).toBe('tools.web_search');
    expect(lastChat()?.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'tool']);
    ollama.behaviour = { tokens: STRUCTURED, doneReason: 'length' };
    const cut = await open().responses.create({
      model: PLAIN,
      input: 'x',
      text: { format: { type: 'json_schema', name: 'a', schema: { type: 'object' } } },
    });
    expect([cut.status, cut.incomplete_details]).toEqual(['incomplete', { reason: 'max_output_tokens' }]);
    expect(lastChat()?.['format']).toEqual({ type: 'object' });
  });

  test('responses refuse what would need a memory, and say how a stream broke off', async () => {
    const create = (change: object) => open().responses.create({ model: PLAIN, input: 'x', ...change });
    for (const param of ['previous_response_id', 'conversation', 'background']) {
      await expect(create({ [param]: 'x' })).rejects.toMatchObject({
        status: 400,
        code: 'unsupported_parameter',
        param,
      });
    }
    await expect(create({ input: [{ type: 'item_reference', id: 'x' }] })).rejects.toMatchObject({
      status: 400,
      param: 'input[0]',
      message: expect.stringContaining('set store to false'),
    });
    await expect(
      create({ input: [{ type: 'function_call_output', call_id: 'nope', output: 'x' }] }),
    ).rejects.toMatchObject({ status: 400, param: 'input[0].call_id' });
    ollama.behaviour = { tokens: ['one ', 'two ', 'three'], tokenMs: 20, fault: 'cut' };
    const events: OpenAI.Responses.ResponseStreamEvent[] = [];
    const stream = await open().responses.create({ model: PLAIN, input: 'x', stream: true });
    for await (const event of stream) events.push(event);
    expect(events.at(-1)).toMatchObject({
      type: 'response.failed',
      response: { status: 'failed', error: { code: 'server_error' }, output: [{ status: 'incomplete' }] },
    });
  });
});

test.describe('ai-sdk', () => {
  const open = () =>
    createOpenAICompatible({ name: 'ivy', baseURL, apiKey: 'x', fetch: checkingFetch, includeUsage: true });
  const weatherTool = tool({
    description: 'The weather in a city',
    inputSchema: weather,
    execute: async ({ city }) => `28 °C in ${city}`,
  });

  test('chat, whole and streamed, with usage and reasoning', async () => {
    const { text, finishReason } = await generateText({ model: open()(MODEL), prompt: QUESTION });
    expect([text, finishReason]).toEqual([expect.stringContaining('[1]'), 'stop']);
    ollama.behaviour = { thinking: ['let me see'], tokens: ['Hel', 'lo'] };
    const stream = streamText({ model: open()(PLAIN), prompt: 'Hi' });
    expect(await stream.text).toBe('Hello');
    expect(await stream.reasoningText).toBe('let me see');
    expect((await stream.usage).outputTokens).toBe(2);
  });

  test('tools, structured output, images', async () => {
    for (const run of [
      async (options: Parameters<typeof generateText>[0]) => (await generateText(options)).text,
      async (options: Parameters<typeof generateText>[0]) =>
        streamText(options as Parameters<typeof streamText>[0]).text,
    ]) {
      callThenAnswer();
      const tools = { weather: weatherTool };
      expect(await run({ model: open()(PLAIN), prompt: 'Weather?', tools, stopWhen: stepCountIs(3) })).toBe(
        'Warm in both.',
      );
      expect(lastChat()?.messages.filter(({ role }) => role === 'tool')).toHaveLength(2);
    }
    ollama.behaviour = { tokens: STRUCTURED };
    const model = createOpenAICompatible({
      name: 'ivy',
      baseURL,
      apiKey: 'x',
      fetch: checkingFetch,
      supportsStructuredOutputs: true,
    })(MODEL);
    const { output } = await generateText({ model, prompt: QUESTION, output: Output.object({ schema: answerSchema }) });
    expect(output).toEqual({ diameter: 4, unit: 'm' });
    await generateText({
      model: open()(PLAIN),
      messages: [{ role: 'user', content: [{ type: 'image', image: PNG, mediaType: 'image/png' }] }],
    });
    expect(lastChat()?.messages[0]?.images).toEqual([PNG]);
  });

  test('errors, embeddings, cancellation', async () => {
    const failure = await generateText({ model: open()('nope'), prompt: 'x', maxRetries: 0 }).catch((error) => error);
    expect(APICallError.isInstance(failure)).toBe(true);
    expect(failure).toMatchObject({ statusCode: 404, message: expect.stringContaining('nope does not exist') });
    ollama.behaviour = { tokens: ['one ', 'two ', 'three'], tokenMs: 20, fault: 'error-line' };
    const parts: string[] = [];
    const broken = streamText({ model: open()(PLAIN), prompt: 'x', maxRetries: 0, onError: () => {} });
    for await (const part of broken.fullStream) parts.push(part.type);
    expect(parts).toContain('error');
    const { embedding } = await embed({ model: open().embeddingModel('ollama/embed'), value: 'abcd' });
    expect(embedding).toHaveLength(3);
    ollama.behaviour = { tokens: Array.from({ length: 500 }, () => 'word '), tokenMs: 20 };
    const controller = new AbortController();
    const stream = streamText({ model: open()(PLAIN), prompt: 'x', abortSignal: controller.signal, onError: () => {} });
    for await (const _ of stream.textStream) controller.abort();
    await until(() => ollama.aborted === 1);
  });

  test('responses, which is what its own OpenAI provider speaks', async () => {
    const model = createOpenAI({ baseURL, apiKey: 'x', fetch: checkingFetch })(MODEL);
    const { text, sources } = await generateText({ model, prompt: QUESTION });
    expect(text).toContain('[1]');
    expect(sources[0]).toMatchObject({ sourceType: 'url', title: expect.stringContaining('fairing') });
    const stream = streamText({ model, prompt: QUESTION });
    expect(await stream.text).toBe(text);
    callThenAnswer();
    const plain = createOpenAI({ baseURL, apiKey: 'x', fetch: checkingFetch })(PLAIN);
    const tools = { weather: weatherTool };
    expect(await streamText({ model: plain, prompt: 'Weather?', tools, stopWhen: stepCountIs(3) }).text).toBe(
      'Warm in both.',
    );
  });
});

test.describe('LangChain', () => {
  const open = (model: string, change: object = {}) =>
    new ChatOpenAI({ model, apiKey: 'x', maxRetries: 0, configuration: { baseURL, fetch: checkingFetch }, ...change });

  test('chat, whole and streamed, with usage', async () => {
    expect((await open(MODEL).invoke(QUESTION)).text).toContain('[1]');
    ollama.behaviour = { tokens: ['Hel', 'lo'] };
    let whole = new AIMessageChunk('');
    for await (const chunk of await open(PLAIN).stream('Hi')) whole = whole.concat(chunk);
    expect([whole.text, whole.usage_metadata?.output_tokens]).toEqual(['Hello', 2]);
  });

  test('tools, structured output, images', async () => {
    callThenAnswer();
    const model = open(PLAIN).bindTools([
      langchainTool(({ city }) => `28 °C in ${city}`, { name: 'weather', schema: weather }),
    ]);
    const question = new HumanMessage('Weather?');
    let called = new AIMessageChunk('');
    for await (const chunk of await model.stream([question])) called = called.concat(chunk);
    expect(called.tool_calls?.map(({ args }) => args)).toEqual([{ city: 'Kourou' }, { city: 'Sriharikota' }]);
    const results = (called.tool_calls ?? []).map(
      ({ id }) => new ToolMessage({ content: '28', tool_call_id: id ?? '' }),
    );
    expect((await model.invoke([question, called, ...results])).text).toBe('Warm in both.');
    ollama.behaviour = { tokens: STRUCTURED };
    const structured = open(MODEL).withStructuredOutput(answerSchema, { method: 'jsonSchema' });
    expect(await structured.invoke(QUESTION)).toEqual({ diameter: 4, unit: 'm' });
    await open(PLAIN).invoke([
      new HumanMessage({ content: [{ type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } }] }),
    ]);
    expect(lastChat()?.messages[0]?.images).toEqual([PNG]);
  });

  test('errors, embeddings, cancellation', async () => {
    await expect(open('nope').invoke('x')).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
    ollama.behaviour = { tokens: ['one ', 'two ', 'three'], tokenMs: 20, fault: 'cut' };
    const broken = (async () => {
      for await (const _ of await open(PLAIN).stream('x'));
    })();
    await expect(broken).rejects.toMatchObject({ code: 'stream_truncated' });
    const embeddings = new OpenAIEmbeddings({
      model: 'ollama/embed',
      apiKey: 'x',
      configuration: { baseURL, fetch: checkingFetch },
    });
    expect(await embeddings.embedQuery('abcd')).toHaveLength(3);
    ollama.behaviour = { tokens: Array.from({ length: 500 }, () => 'word '), tokenMs: 20 };
    const controller = new AbortController();
    const cancelled = (async () => {
      for await (const _ of await open(PLAIN).stream('x', { signal: controller.signal })) controller.abort();
    })();
    await cancelled.catch(() => {});
    await until(() => ollama.aborted === 1);
  });
});

test('the check itself sees bodies and chunks, and what is wrong in them', async () => {
  const before = { ...validated };
  const client = new OpenAI({ baseURL, apiKey: 'x', fetch: checkingFetch });
  await client.chat.completions.stream({ model: PLAIN, messages: [{ role: 'user', content: 'x' }] }).done();
  await client.models.list();
  await until(() => validated.bodies > before.bodies && validated.chunks >= before.chunks + 3);
  expect(chatChunk.safeParse({ id: 'chatcmpl-1', choices: [] }).success).toBe(false);
});

import type { IncomingMessage, ServerResponse } from 'node:http';
import { FakeServer, pause, sendJson } from './server';

/** How the next messages go. Protocol and quirks are those of the Messages API. */
export interface AnthropicBehaviour {
  tokens?: readonly string[];
  thinking?: readonly string[];
  toolUse?:
    | { id: string; name: string; json: readonly string[] }
    | { id: string; name: string; json: readonly string[] }[];
  tokenMs?: number;
  stopReason?: string;
  /** Explanation of a refusal. */
  explanation?: string;
  fault?: 'cut' | 'overloaded' | 'pings-only';
  /** Statuses of the next requests before any byte; used up one by one. */
  statuses?: { status: number; type: string; message?: string; retryAfter?: string }[];
}

export interface MessagesBody {
  model: string;
  max_tokens: number;
  system?: { type: string; text: string; cache_control?: unknown }[];
  messages: { role: string; content: Block[] }[];
  [field: string]: unknown;
}

export interface Block {
  type: string;
  text?: string;
  source?: string;
  title?: string;
  content?: { type: string; text: string }[];
  citations?: { enabled: boolean };
  [field: string]: unknown;
}

export const FAKE_ANTHROPIC_KEY = 'sk-ant-test-0123456789abcdef';

const supported = { supported: true };
const MODELS = ['claude-sonnet-5-5', 'claude-opus-5-5'].map((id) => ({
  type: 'model',
  id,
  display_name: id,
  created_at: '2026-09-01T00:00:00Z',
  deprecated_at: null,
  retires_at: null,
  lifecycle: 'active',
  line: null,
  max_input_tokens: 200_000,
  max_tokens: 64_000,
  capabilities: {
    batch: supported,
    citations: supported,
    image_input: supported,
    structured_outputs: supported,
    thinking: {
      supported: true,
      types: { adaptive: supported, enabled: { supported: false }, disabled: supported, between_tools: supported },
    },
  },
}));

export class FakeAnthropic extends FakeServer {
  behaviour: AnthropicBehaviour = {};
  /** Bodies of `/v1/messages`, oldest first. */
  readonly calls: MessagesBody[] = [];
  /** Every request of any kind: nothing may come before Claude was chosen. */
  requests = 0;
  aborted = 0;

  constructor() {
    super((request, response, body) => this.handle(request, response, body));
  }

  private async handle(request: IncomingMessage, response: ServerResponse, body: string): Promise<void> {
    this.requests += 1;
    const path = request.url?.split('?')[0];
    // Version 1 of the SDK sends its key as a bearer token; the API takes the older header as well.
    const key = request.headers['x-api-key'] ?? request.headers.authorization?.replace('Bearer ', '');
    if (key !== FAKE_ANTHROPIC_KEY) {
      return fail(response, { status: 401, type: 'authentication_error', message: 'invalid api key' });
    }
    if (path === '/v1/models')
      return sendJson(response, 200, {
        data: MODELS,
        has_more: false,
        first_id: MODELS[0]?.id,
        last_id: MODELS[1]?.id,
      });
    if (path === '/v1/messages') return this.messages(response, JSON.parse(body) as MessagesBody);
    return fail(response, { status: 404, type: 'not_found_error', message: 'Not found' });
  }

  private async messages(response: ServerResponse, body: MessagesBody): Promise<void> {
    this.calls.push(body);
    const refusal = this.behaviour.statuses?.shift();
    if (refusal) return fail(response, refusal);
    const complaint = checkRequest(body);
    if (complaint) return fail(response, { status: 400, type: 'invalid_request_error', message: complaint });
    let finished = false;
    response.once('close', () => {
      if (!finished) this.aborted += 1;
    });
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'request-id': 'req_fake' });
    const send = (event: { type: string } & Record<string, unknown>) =>
      response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    const usage = { input_tokens: 120, cache_creation_input_tokens: 0, cache_read_input_tokens: 30, output_tokens: 1 };
    send({
      type: 'message_start',
      message: {
        id: 'msg_fake',
        type: 'message',
        role: 'assistant',
        model: body.model,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage,
      },
    });
    send({ type: 'ping' });
    let index = 0;
    const block = (start: object, deltas: readonly object[]) => {
      send({ type: 'content_block_start', index, content_block: start });
      for (const delta of deltas) send({ type: 'content_block_delta', index, delta });
      send({ type: 'content_block_stop', index });
      index += 1;
    };
    const { behaviour } = this;
    if (behaviour.fault === 'pings-only') {
      while (await pause(response, 50)) send({ type: 'ping' });
      return;
    }
    if (behaviour.thinking) {
      block({ type: 'thinking', thinking: '', signature: '' }, [
        ...behaviour.thinking.map((thinking) => ({ type: 'thinking_delta', thinking })),
        { type: 'signature_delta', signature: 'c2ln' },
      ]);
    }
    for (const { text, citations } of behaviour.tokens
      ? [{ text: behaviour.tokens, citations: [] }]
      : answerFrom(body)) {
      send({
        type: 'content_block_start',
        index,
        content_block: { type: 'text', text: '', ...(citations.length > 0 && { citations: [] }) },
      });
      for (const [at, piece] of text.entries()) {
        if (behaviour.fault && at === 1) {
          finished = true;
          if (behaviour.fault === 'overloaded')
            send({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } });
          response.end();
          return;
        }
        send({ type: 'content_block_delta', index, delta: { type: 'text_delta', text: piece } });
        if (behaviour.tokenMs && !(await pause(response, behaviour.tokenMs))) return;
      }
      for (const citation of citations)
        send({ type: 'content_block_delta', index, delta: { type: 'citations_delta', citation } });
      send({ type: 'content_block_stop', index });
      index += 1;
    }
    for (const { id, name, json } of [behaviour.toolUse ?? []].flat()) {
      block(
        { type: 'tool_use', id, name, input: {} },
        json.map((partial_json) => ({ type: 'input_json_delta', partial_json })),
      );
    }
    const stopReason = behaviour.stopReason ?? (behaviour.toolUse ? 'tool_use' : 'end_turn');
    send({
      type: 'message_delta',
      delta: {
        stop_reason: stopReason,
        stop_sequence: null,
        stop_details: behaviour.explanation
          ? { type: 'refusal', category: null, explanation: behaviour.explanation }
          : null,
      },
      usage: { ...usage, output_tokens: 25 },
    });
    send({ type: 'message_stop' });
    finished = true;
    response.end();
  }
}

/** What the real API refuses with 400. */
function checkRequest(body: MessagesBody): string | undefined {
  for (const name of ['temperature', 'top_p', 'top_k'])
    if (name in body) return `${name}: Extra inputs are not permitted`;
  if (!Number.isInteger(body.max_tokens)) return 'max_tokens: Field required';
  const format = (body['output_config'] as { format?: { schema?: { additionalProperties?: unknown } } } | undefined)
    ?.format;
  if (format && format.schema?.additionalProperties !== false) {
    return "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false";
  }
  if (format && body.messages.some(({ content }) => content.some((block) => block.citations?.enabled))) {
    return 'output_config.format: citations are not supported with structured outputs';
  }
  if (body.messages.at(-1)?.role === 'assistant') return 'This model does not support assistant message prefill.';
  if (body.messages[0]?.role !== 'user') return 'messages: first message must use the "user" role';
  const blocks = body.messages.flatMap(({ content }) => content);
  if (blocks.some((block) => block.type === 'text' && !block.text?.trim()))
    return 'messages: text content blocks must contain non-whitespace text';
  if (blocks.some((block) => block.type === 'search_result' && !block.content?.length))
    return 'search_result.content: at least one block is required';
  return undefined;
}

function fail(
  response: ServerResponse,
  refusal: { status: number; type: string; message?: string; retryAfter?: string },
): void {
  const headers: Record<string, string> = refusal.retryAfter === undefined ? {} : { 'retry-after': refusal.retryAfter };
  sendJson(
    response,
    refusal.status,
    { type: 'error', error: { type: refusal.type, message: refusal.message ?? refusal.type } },
    headers,
  );
}

/** Cites the first search result natively, as the API does: text blocks, then where they come from. */
function answerFrom(body: MessagesBody): { text: string[]; citations: object[] }[] {
  const results = body.messages.flatMap(({ content }) => content).filter((block) => block.type === 'search_result');
  const [first] = results;
  if (!first) return [{ text: ['I have ', 'no documents.'], citations: [] }];
  const cited = first.content?.[0]?.text ?? '';
  const citation = {
    type: 'search_result_location',
    source: first.source,
    title: first.title,
    cited_text: cited,
    search_result_index: 0,
    start_block_index: 0,
    end_block_index: 1,
  };
  return [
    { text: ['The documents ', 'say: '], citations: [] },
    { text: [`${cited.replace(/[#*|]/g, '').trim().slice(0, 80)}.`], citations: [citation] },
  ];
}

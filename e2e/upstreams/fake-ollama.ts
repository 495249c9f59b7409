import type { IncomingMessage, ServerResponse } from 'node:http';
import { FakeServer, pause, sendJson } from './server';

/** How the next chats go. Protocol and quirks are those of Ollama's native API. */
export interface OllamaBehaviour {
  /** Pieces of the answer; without them the fake answers from the passages in its prompt. */
  tokens?: readonly string[];
  thinking?: readonly string[];
  toolCalls?: readonly { id?: string; name: string; arguments: Record<string, unknown> }[];
  /** Pause before the first byte, and between tokens. */
  firstByteMs?: number;
  tokenMs?: number;
  doneReason?: string;
  /** Fields that no Ollama sends, in every line. */
  extra?: Record<string, unknown>;
  /** `silence`: never another byte; `cut`: the connection ends before `done`; the others are lines. */
  fault?: 'silence' | 'cut' | 'error-line' | 'malformed-line' | 'endless-line';
  /** Answer with this status before any byte of a stream. */
  status?: number;
  statusAfterMs?: number;
}

/**
 * What chat templates do with system messages, as seen in Ollama's stock templates and those that llama.cpp ships:
 * write all; drop every one that is not the first message; drop them all from the second turn on; refuse one that is
 * not the first, or a second one; refuse any.
 */
export type ChatTemplate = 'all' | 'first-only' | 'first-turn-only' | 'first-or-error' | 'none-or-error';

export interface FakeModel {
  name: string;
  /** Where a model really runs that this Ollama only passes questions on to. */
  remote_host?: string;
  template?: ChatTemplate;
  parameter_size?: string;
  capabilities: string[];
  context_length: number;
  size: number;
}

export interface ChatBody {
  model: string;
  messages: { role: string; content: string; images?: string[]; tool_calls?: unknown[] }[];
  options: Record<string, unknown>;
  [field: string]: unknown;
}

const chatModel = (name: string): FakeModel => ({
  name,
  capabilities: ['completion', 'tools'],
  context_length: 131_072,
  size: 4_920_753_328,
});

/** Layers of a pulled model, in bytes. */
const LAYERS = [
  { digest: `sha256:${'a'.repeat(64)}`, total: 4_000_000_000 },
  { digest: `sha256:${'b'.repeat(64)}`, total: 12_000 },
];

export class FakeOllama extends FakeServer {
  models: FakeModel[] = [chatModel('llama3.1:latest')];
  behaviour: OllamaBehaviour = {};
  /** Of the next chats, one each; then `behaviour` again. */
  script: OllamaBehaviour[] = [];
  /** Bodies of `/api/chat`, oldest first. */
  readonly chats: ChatBody[] = [];
  /** What the templates made of them: the model's own prompts. */
  readonly prompts: string[] = [];
  /** Tokens written so far; a connection that is full makes the model wait. */
  written = 0;
  /** Chats and pulls whose client went away before the end. */
  aborted = 0;
  pullStepMs = 60;
  pullFault: 'error-line' | undefined;

  constructor() {
    super((request, response, body) => this.handle(request, response, body));
  }

  addChatModel(name: string, change: Partial<FakeModel> = {}): void {
    this.models.push({ ...chatModel(name), ...change });
  }

  private async handle(request: IncomingMessage, response: ServerResponse, body: string): Promise<unknown> {
    switch (`${request.method} ${request.url}`) {
      case 'GET /api/version':
        return sendJson(response, 200, { version: '0.17.4' });
      case 'GET /api/tags':
        return sendJson(response, 200, { models: this.models.map(toTag) });
      case 'POST /api/chat':
        return this.chat(response, JSON.parse(body) as ChatBody);
      case 'POST /api/embed':
        return this.embed(response, JSON.parse(body) as { model: string; input: string | string[] });
      case 'POST /api/pull':
        return this.pull(response, modelOf(body));
      case 'DELETE /api/delete':
        return this.remove(response, modelOf(body));
      default:
        return response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found');
    }
  }

  private async chat(response: ServerResponse, body: ChatBody): Promise<void> {
    this.chats.push(body);
    const behaviour = this.script.shift() ?? this.behaviour;
    if (!this.models.some((model) => model.name === body.model || model.name === `${body.model}:latest`)) {
      return sendJson(response, 404, { error: `model '${body.model}' not found` });
    }
    if (behaviour.statusAfterMs && !(await pause(response, behaviour.statusAfterMs))) return;
    if (behaviour.status) return sendJson(response, behaviour.status, { error: 'server busy, please try again.' });
    const at = { model: body.model, created_at: new Date().toISOString() };
    // An empty list is "load the model".
    if (body.messages.length === 0)
      return sendJson(response, 200, {
        ...at,
        message: { role: 'assistant', content: '' },
        done_reason: 'load',
        done: true,
      });
    const model = this.models.find(({ name }) => name === body.model || name === `${body.model}:latest`);
    const prompt = render(body.messages, model?.template ?? 'all');
    if ('error' in prompt) return sendJson(response, 500, prompt);
    this.prompts.push(prompt.text);
    const words = prompt.text.length / CHARS_A_TOKEN;
    if (body['truncate'] === false && words > Number(body.options['num_ctx'] ?? 4096)) {
      return sendJson(response, 400, { error: 'the input length exceeds the context length' });
    }
    let finished = false;
    response.once('close', () => {
      if (!finished) this.aborted += 1;
    });
    if (behaviour.firstByteMs && !(await pause(response, behaviour.firstByteMs))) return;
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    const line = (message: object, more: object = {}) =>
      response.write(
        `${JSON.stringify({ ...at, message: { role: 'assistant', content: '', ...message }, done: false, ...behaviour.extra, ...more })}\n`,
      );
    const tokens = behaviour.tokens ?? answerFrom(body, prompt.text);
    for (const thinking of behaviour.thinking ?? []) line({ thinking });
    const chosen = (token: string) => ({ token, logprob: -0.25 });
    const alternatives = Number(body['top_logprobs'] ?? 0);
    const logprobs = (token: string) => ({
      // `bytes` may be missing.
      ...chosen(token),
      top_logprobs: Array.from({ length: alternatives }, () => chosen(token)),
    });
    for (const [index, content] of tokens.entries()) {
      if (behaviour.fault && index === Math.min(2, tokens.length - 1)) return this.fail(response, behaviour.fault);
      const room = line({ content }, body['logprobs'] ? { logprobs: [logprobs(content)] } : {});
      this.written += 1;
      if (!room && !(await drained(response))) return;
      if (behaviour.tokenMs && !(await pause(response, behaviour.tokenMs))) return;
    }
    // Each call may come in a line of its own.
    for (const { id, name, arguments: args } of behaviour.toolCalls ?? []) {
      line({ tool_calls: [{ ...(id && { id }), function: { name, arguments: args } }] });
    }
    finished = true;
    const counts = { prompt_eval_count: Math.ceil(words), ...(tokens.length > 0 && { eval_count: tokens.length }) };
    response.end(
      `${JSON.stringify({ ...at, message: { role: 'assistant', content: '' }, done_reason: behaviour.doneReason ?? 'stop', done: true, total_duration: 1e9, ...counts })}\n`,
    );
  }

  private async fail(response: ServerResponse, fault: NonNullable<OllamaBehaviour['fault']>): Promise<void> {
    switch (fault) {
      case 'silence':
        return;
      case 'cut':
        response.end();
        return;
      case 'error-line':
        response.end(`${JSON.stringify({ error: 'an error was encountered while running the model' })}\n`);
        return;
      case 'malformed-line':
        response.end('{"model":"llama3.1","message":{"content":"secret words of a document\n');
        return;
      case 'endless-line':
        response.write('{"message":{"content":"');
        for (let part = 0; part < 64 && (await pause(response, 1)); part++) response.write('x'.repeat(64 * 1024));
        response.end();
        return;
      default:
        fault satisfies never;
    }
  }

  /** Vectors that depend on the text and nothing else. */
  private embed(response: ServerResponse, { model, input }: { model: string; input: string | string[] }): unknown {
    const known = this.models.find(({ name }) => name === model);
    if (!known) return sendJson(response, 404, { error: `model '${model}' not found` });
    const texts = typeof input === 'string' ? [input] : input;
    const embeddings = texts.map((text) => [text.length / 100, text.charCodeAt(0) / 1000, 0.25]);
    return sendJson(response, 200, { model, embeddings, total_duration: 1e6, prompt_eval_count: texts.length * 2 });
  }

  private async pull(response: ServerResponse, model: string): Promise<void> {
    let finished = false;
    response.once('close', () => {
      if (!finished) this.aborted += 1;
    });
    if (model.startsWith('missing')) {
      finished = true;
      return sendJson(response, 500, { error: 'pull model manifest: file does not exist' });
    }
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    const line = (value: object) => response.write(`${JSON.stringify(value)}\n`);
    line({ status: 'pulling manifest' });
    for (const { digest, total } of LAYERS) {
      const status = `pulling ${digest.slice(7, 19)}`;
      // `completed` is left out while it is 0.
      line({ status, digest, total });
      for (let step = 1; step <= 10; step++) {
        if (!(await pause(response, this.pullStepMs))) return;
        if (this.pullFault && step === 5) {
          finished = true;
          response.end(`${JSON.stringify({ error: 'write /root/.ollama/models/blobs: no space left on device' })}\n`);
          return;
        }
        line({ status, digest, total, completed: (total / 10) * step });
      }
    }
    for (const status of ['verifying sha256 digest', 'writing manifest', 'removing unused layers', 'success'])
      line({ status });
    const name = model.includes(':') ? model : `${model}:latest`;
    if (!this.models.some((installed) => installed.name === name)) this.addChatModel(name);
    finished = true;
    response.end();
  }

  private remove(response: ServerResponse, model: string): unknown {
    const before = this.models.length;
    this.models = this.models.filter(({ name }) => name !== model);
    if (this.models.length === before) return sendJson(response, 404, { error: `model '${model}' not found` });
    return response.writeHead(200).end();
  }
}

/** Waits until the connection takes more; false when it is closed instead. */
function drained(response: ServerResponse): Promise<boolean> {
  return new Promise((resolve) => {
    response.once('drain', () => resolve(true));
    response.once('close', () => resolve(false));
  });
}

/** The package still sends the old field `name`; the server takes both. */
function modelOf(body: string): string {
  const { model, name } = JSON.parse(body) as { model?: string; name?: string };
  return model ?? name ?? '';
}

function toTag({ name, capabilities, context_length, size, remote_host, parameter_size }: FakeModel) {
  return {
    name,
    model: name,
    modified_at: '2026-11-01T10:00:00Z',
    size,
    digest: 'c'.repeat(64),
    details: {
      format: 'gguf',
      family: 'llama',
      parameter_size: parameter_size ?? '8.0B',
      quantization_level: 'Q4_K_M',
      context_length,
    },
    capabilities,
    ...(remote_host && { remote_host, remote_model: name.replace(/-cloud$/, '') }),
  };
}

/** Characters that make a token of this model, on the whole. */
const CHARS_A_TOKEN = 4;

/** The prompt that a chat template makes of messages, or the error that it raises. */
function render(messages: ChatBody['messages'], template: ChatTemplate): { text: string } | { error: string } {
  const system = messages.filter(({ role }) => role === 'system');
  const questions = messages.filter(({ role }) => role === 'user').length;
  if (template === 'none-or-error' && system.length > 0) {
    return { error: 'template: :1: error calling raise_exception: System role not supported' };
  }
  if (template === 'first-or-error' && (system.length > 1 || (system.length === 1 && messages[0]?.role !== 'system'))) {
    return { error: 'template: :1: error calling raise_exception: System message must be at the beginning.' };
  }
  const shown = messages.filter((message, index) => {
    if (message.role !== 'system') return true;
    if (template === 'first-only') return index === 0;
    return template !== 'first-turn-only' || questions < 2;
  });
  return { text: shown.map(({ role, content }) => `<|${role}|>\n${content}\n`).join('') };
}

/** Reads its prompt as a model does: the first passage's first sentence, cited in the forms that models use. */
function answerFrom(body: ChatBody, prompt: string): string[] {
  const task = body.messages.length === 1 && body.messages[0]?.content.startsWith('### Task:\n');
  if (task) return ['{"title": "Payload ', 'fairing", "tags": ["Launcher"], ', '"follow_ups": ["And its mass?"]}'];
  const text = prompt.split(/\[Document 1 - [^\]]*\]:\n\(Score: [\d.]+\)\n/)[1]?.split('\n\n[Document 2')[0];
  if (text === undefined) return ['I ', 'have ', 'no ', 'documents.'];
  const sentence = /[A-Z][^.#|\n]{30,}\./.exec(text)?.[0] ?? text.slice(0, 100);
  return [...`${sentence} [Document 1] See also [1, 2] and [99].`.matchAll(/\S+\s*/g)].map(([word]) => word);
}

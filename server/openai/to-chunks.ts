import type { TokenLogprob } from '../core/chat';
import type { AppError } from '../core/errors';
import type { RunEvent } from '../core/run';
import { UsageTally } from '../core/usage';
import type { CitationWriter } from './citation-writer';
import { toErrorBody } from './errors';
import { toLogprobs } from './logprobs';
import { RagFacts } from './rag-facts';
import { toFinishReason, toUsage } from './usage';

export interface ChunkHead {
  id: string;
  /** Seconds since 1970. */
  created: number;
  /** As the client wrote it. */
  model: string;
  requestId: string;
  includeUsage: boolean;
}

const DONE = 'data: [DONE]\n\n';
/** Keeps every line under 64 KiB even when each character needs six bytes of escape. */
const MAX_TEXT = 8_000;
const LOGPROBS_PER_CHUNK = 20;

/**
 * Server-sent events of one streamed chat completion: the role chunk, then content, reasoning and
 * tool calls, one finish chunk, the usage chunk if asked for, `[DONE]`. What does not change between
 * chunks is written once.
 */
export class ChunkEncoder {
  private readonly prefix: string;
  private started = false;
  private toolIndex = 0;
  private readonly usage = new UsageTally();
  private readonly rag = new RagFacts();

  constructor(
    private readonly head: ChunkHead,
    private readonly citations: CitationWriter,
  ) {
    const { id, created, model } = head;
    const common = JSON.stringify({ id, object: 'chat.completion.chunk', created, model });
    this.prefix = `data: ${common.slice(0, -1)},"choices":`;
  }

  encode(events: readonly RunEvent[]): string {
    let out = '';
    let text = '';
    let reasoning = '';
    const flush = () => {
      if (reasoning !== '') out += this.pieces('reasoning_content', reasoning);
      if (text !== '') out += this.pieces('content', text);
      text = '';
      reasoning = '';
    };
    for (const event of events) {
      switch (event.type) {
        case 'step':
          this.rag.see(event);
          for (const data of this.citations.step(event)) out += this.start() + this.eventChunk(data);
          break;
        case 'retrieval':
          this.rag.see(event);
          for (const data of this.citations.retrieved(event)) out += this.start() + this.eventChunk(data);
          break;
        case 'usage':
          this.usage.see(event.usage, event.call);
          break;
        case 'conflicts':
          out += this.start();
          flush();
          for (const data of this.citations.conflicting(event)) out += this.eventChunk(data);
          break;
        case 'text-delta':
          out += this.start();
          if (reasoning !== '') flush();
          this.citations.text(event);
          text += event.text;
          break;
        case 'reasoning-delta':
          out += this.start();
          if (text !== '') flush();
          reasoning += event.text;
          break;
        case 'logprobs':
          out += this.start();
          flush();
          out += this.logprobs(event.tokens);
          break;
        case 'tool-call': {
          out += this.start();
          flush();
          const { id, name, argumentsJson } = event.call;
          const index = this.toolIndex++;
          const [first = '', ...rest] = cutText(argumentsJson);
          const call = { index, id, type: 'function', function: { name, arguments: first } };
          out += this.chunk({ tool_calls: [call] }, null);
          for (const piece of rest)
            out += this.chunk({ tool_calls: [{ index, function: { arguments: piece } }] }, null);
          break;
        }
        case 'evidence':
          this.rag.see(event);
          out += this.start();
          flush();
          for (const data of this.citations.evidence(event)) out += this.eventChunk(data);
          break;
        case 'finish':
          out += this.start();
          text += this.citations.footnotes();
          flush();
          if (event.refusal) out += this.chunk({ refusal: event.refusal }, null);
          out += this.annotations() + this.last(toFinishReason(event.reason));
          break;
        default:
          event satisfies never;
      }
    }
    flush();
    return out;
  }

  /** After the last event of a complete answer. */
  end(): string {
    if (!this.head.includeUsage) return DONE;
    const usage = toUsage(this.usage.total);
    return `${this.prefix}[],"usage":${JSON.stringify(usage)}}\n\n${DONE}`;
  }

  /** A failure after the headers went out: an error frame without `choices`, then the end. Never a fake finish. */
  fail(error: AppError): string {
    return `data: ${JSON.stringify(toErrorBody(error))}\n\n${DONE}`;
  }

  private start(): string {
    if (this.started) return '';
    this.started = true;
    const ivy = JSON.stringify({ request_id: this.head.requestId, rag: this.rag.toWire() });
    const chunk = this.chunk({ role: 'assistant', content: '' }, null);
    return `${chunk.slice(0, -3)},"ivy":${ivy}}\n\n`;
  }

  /** All in one chunk, before the finish: clients overwrite or refuse a second list. */
  private annotations(): string {
    const annotations = this.citations.annotations();
    return annotations.length === 0 ? '' : this.chunk({ annotations }, null);
  }

  /** The finish chunk, with what the check of the answer found, and what was learnt of the search meanwhile. */
  private last(finishReason: string): string {
    const chunk = this.chunk({}, finishReason);
    const checked = this.citations.toWire();
    const rag = this.rag.changed ? this.rag.toWire() : undefined;
    if (!rag && Object.keys(checked).length === 0) return chunk;
    return `${chunk.slice(0, -3)},"ivy":${JSON.stringify({ ...(rag && { rag }), ...checked })}}\n\n`;
  }

  /** In chunks of their own, few enough tokens in each to keep the line short. */
  private logprobs(tokens: readonly TokenLogprob[]): string {
    let out = '';
    for (let at = 0; at < tokens.length; at += LOGPROBS_PER_CHUNK) {
      const logprobs = toLogprobs(tokens.slice(at, at + LOGPROBS_PER_CHUNK));
      out += `${this.prefix}[{"index":0,"delta":{},"logprobs":${JSON.stringify(logprobs)},"finish_reason":null}]}\n\n`;
    }
    return out;
  }

  /** An Open WebUI event inside a chunk that other clients read as empty. */
  private eventChunk(event: object): string {
    return `${this.prefix}[{"index":0,"delta":{},"logprobs":null,"finish_reason":null}],"event":${JSON.stringify(event)}}\n\n`;
  }

  private pieces(field: 'content' | 'reasoning_content', text: string): string {
    if (text.length <= MAX_TEXT) return this.deltaChunk(`{"${field}":${JSON.stringify(text)}}`, 'null');
    return cutText(text)
      .map((piece) => this.chunk({ [field]: piece }, null))
      .join('');
  }

  private chunk(delta: object, finishReason: string | null): string {
    return this.deltaChunk(JSON.stringify(delta), finishReason === null ? 'null' : `"${finishReason}"`);
  }

  /** Takes JSON text: this is the path of every token. */
  private deltaChunk(delta: string, finishReason: string): string {
    return `${this.prefix}[{"index":0,"delta":${delta},"logprobs":null,"finish_reason":${finishReason}}]}\n\n`;
  }
}

/** Pieces that each fit into a line; a pair of surrogates is one character and stays together. */
export function cutText(text: string): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length; ) {
    let end = Math.min(at + MAX_TEXT, text.length);
    if (end < text.length && text.charCodeAt(end - 1) >= 0xd800 && text.charCodeAt(end - 1) <= 0xdbff) end -= 1;
    pieces.push(text.slice(at, end));
    at = end;
  }
  return pieces;
}

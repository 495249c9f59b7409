import type { FinishReason, TokenLogprob, ToolCall, Usage } from '../../core/chat';
import type { AppError } from '../../core/errors';
import type { RunEvent } from '../../core/run';
import { UsageTally } from '../../core/usage';
import { createId } from '../../lib/ids';
import { type CitationWriter, codePoints } from '../citation-writer';
import { toLogprobs } from '../logprobs';
import { RagFacts } from '../rag-facts';
import { cutText } from '../to-chunks';
import type { ResponseEcho } from './from-responses';

export interface ResponseHead {
  id: string;
  /** Seconds since 1970. */
  created: number;
  /** As the client wrote it. */
  model: string;
  requestId: string;
  echo: ResponseEcho;
}

/** One event of the stream, before it gets its number. */
export type ResponseEvent = { type: string } & Record<string, unknown>;

interface OpenText {
  kind: 'message' | 'reasoning';
  id: string;
  text: string;
  logprobs: ReturnType<typeof toLogprobs>['content'];
}

/**
 * Turns the events of one run into those of the Responses API, and keeps the response they add up to:
 * a stream sends the events, a whole answer only the end. The order is OpenAI's: created, in_progress, then
 * for each item added, its parts and deltas, done; at last completed, incomplete or failed.
 */
export class ResponseWriter {
  private readonly output: object[] = [];
  private open: OpenText | undefined;
  private begun = false;
  private readonly usage = new UsageTally();
  private finish: FinishReason | undefined;
  private readonly rag = new RagFacts();
  /** Code points of the messages before the open one: offsets of citations count from the start of theirs. */
  private written = 0;

  constructor(
    private readonly head: ResponseHead,
    private readonly citations: CitationWriter,
  ) {}

  /** True once the run said how it ended. */
  get finished(): boolean {
    return this.finish !== undefined;
  }

  write(events: readonly RunEvent[]): ResponseEvent[] {
    const out: ResponseEvent[] = [];
    for (const event of events) {
      switch (event.type) {
        case 'step':
          this.rag.see(event);
          break;
        case 'retrieval':
          this.rag.see(event);
          // Open WebUI takes its events from any chunk; from the annotations of this endpoint it would take the
          // link as the name, and ask Google for an icon.
          for (const data of this.citations.retrieved(event)) {
            this.begin(out);
            out.push({ type: 'response.ivy.event', event: data });
          }
          break;
        case 'usage':
          this.usage.see(event.usage, event.call);
          break;
        case 'conflicts':
          for (const data of this.citations.conflicting(event)) out.push({ type: 'response.ivy.event', event: data });
          break;
        case 'text-delta':
          this.citations.text(event);
          this.append('message', event.text, out);
          break;
        case 'reasoning-delta':
          this.append('reasoning', event.text, out);
          break;
        case 'logprobs':
          this.addLogprobs(event.tokens, out);
          break;
        case 'tool-call':
          this.begin(out);
          this.close(out);
          this.addCall(event.call, out);
          break;
        case 'evidence':
          this.rag.see(event);
          for (const data of this.citations.evidence(event)) out.push({ type: 'response.ivy.event', event: data });
          break;
        case 'finish':
          this.begin(out);
          this.finish = event.reason;
          this.append('message', this.citations.footnotes(), out);
          this.close(out);
          if (event.refusal) this.addRefusal(event.refusal, out);
          break;
        default:
          event satisfies never;
      }
    }
    return out;
  }

  /** The last event of a complete run. */
  end(): ResponseEvent {
    return { type: this.incomplete ? 'response.incomplete' : 'response.completed', response: this.response() };
  }

  /** The last event of a run that broke off: what was written stays in it. */
  fail(error: AppError): ResponseEvent[] {
    const out: ResponseEvent[] = [];
    this.begin(out);
    this.close(out, 'incomplete');
    const code = error.code === 'rate_limit_exceeded' ? error.code : 'server_error';
    out.push({
      type: 'response.failed',
      response: this.object('failed', { error: { code, message: error.message } }),
    });
    return out;
  }

  /** The whole response of a run that came to its end. */
  response(): object {
    return this.object(this.incomplete ? 'incomplete' : 'completed', {
      incomplete_details: this.incomplete ?? null,
      usage: toResponseUsage(this.usage.total ?? { promptTokens: 0, completionTokens: 0 }),
      completed_at: this.incomplete ? null : Math.floor(Date.now() / 1000),
    });
  }

  private get incomplete(): { reason: string } | undefined {
    if (this.finish === 'length') return { reason: 'max_output_tokens' };
    return this.finish === 'content-filter' ? { reason: 'content_filter' } : undefined;
  }

  private object(status: string, change: object): object {
    const { id, created, model, requestId, echo } = this.head;
    return {
      id,
      object: 'response',
      created_at: created,
      status,
      completed_at: null,
      error: null,
      incomplete_details: null,
      model,
      output: [...this.output],
      previous_response_id: null,
      store: false,
      background: false,
      truncation: 'disabled',
      service_tier: 'default',
      usage: null,
      ...echo,
      ivy: { request_id: requestId, rag: this.rag.toWire(), ...this.citations.toWire() },
      ...change,
    };
  }

  private begin(out: ResponseEvent[]): void {
    if (this.begun) return;
    this.begun = true;
    const response = this.object('in_progress', {});
    out.push({ type: 'response.created', response }, { type: 'response.in_progress', response });
  }

  private get at(): { output_index: number; item_id: string; content_index: number } {
    return { output_index: this.output.length, item_id: this.open?.id ?? '', content_index: 0 };
  }

  private append(kind: OpenText['kind'], text: string, out: ResponseEvent[]): void {
    if (text === '') return;
    this.begin(out);
    if (this.open?.kind !== kind) {
      this.close(out);
      this.openItem(kind, out);
    }
    if (this.open) this.open.text += text;
    for (const delta of cutText(text)) {
      out.push(
        kind === 'message'
          ? { type: 'response.output_text.delta', ...this.at, delta, logprobs: [] }
          : { type: 'response.reasoning_text.delta', ...this.at, delta },
      );
    }
  }

  private openItem(kind: OpenText['kind'], out: ResponseEvent[]): void {
    this.open = { kind, id: createId(kind === 'message' ? 'msg' : 'rs'), text: '', logprobs: [] };
    const { output_index, item_id } = this.at;
    const item =
      kind === 'message'
        ? { type: 'message', id: item_id, status: 'in_progress', role: 'assistant', content: [] }
        : { type: 'reasoning', id: item_id, status: 'in_progress', summary: [], content: [] };
    out.push(
      { type: 'response.output_item.added', output_index, item },
      { type: 'response.content_part.added', ...this.at, part: this.part('', [], []) },
    );
  }

  private part(text: string, annotations: readonly object[], logprobs: readonly object[]): object {
    if (this.open?.kind === 'reasoning') return { type: 'reasoning_text', text };
    return { type: 'output_text', text, annotations, logprobs };
  }

  /** Ends the item that is being written, if any. */
  private close(out: ResponseEvent[], status: 'completed' | 'incomplete' = 'completed'): void {
    const { open } = this;
    if (!open) return;
    const { at } = this;
    const itemStatus = this.incomplete ? 'incomplete' : status;
    if (open.kind === 'reasoning') {
      out.push({ type: 'response.reasoning_text.done', ...at, text: open.text });
    } else {
      out.push({ type: 'response.output_text.done', ...at, text: open.text, logprobs: open.logprobs });
    }
    const annotations = open.kind === 'message' ? this.annotations() : [];
    for (const [index, annotation] of annotations.entries()) {
      out.push({ type: 'response.output_text.annotation.added', ...at, annotation_index: index, annotation });
    }
    const part = this.part(open.text, annotations, open.logprobs);
    const item =
      open.kind === 'message'
        ? { type: 'message', id: open.id, status: itemStatus, role: 'assistant', content: [part] }
        : { type: 'reasoning', id: open.id, status: itemStatus, summary: [], content: [part] };
    out.push(
      { type: 'response.content_part.done', ...at, part },
      { type: 'response.output_item.done', output_index: at.output_index, item },
    );
    if (open.kind === 'message') this.written += codePoints(open.text);
    this.output.push(item);
    this.open = undefined;
  }

  /** Those of the open message, in this endpoint's flat form. */
  private annotations(): object[] {
    return this.citations
      .annotations()
      .flatMap(({ type, support, url_citation: { start_index, end_index, ...citation } }) =>
        start_index < this.written
          ? []
          : [
              {
                type,
                start_index: start_index - this.written,
                end_index: end_index - this.written,
                ...citation,
                ...(support !== undefined && { support }),
              },
            ],
      );
  }

  private addLogprobs(tokens: readonly TokenLogprob[], out: ResponseEvent[]): void {
    this.begin(out);
    if (this.open?.kind !== 'message') return;
    const { content } = toLogprobs(tokens);
    this.open.logprobs.push(...content);
    out.push({ type: 'response.output_text.delta', ...this.at, delta: '', logprobs: content });
  }

  private addCall({ id, name, argumentsJson }: ToolCall, out: ResponseEvent[]): void {
    const item = { type: 'function_call', id: createId('fc'), call_id: id, name };
    const at = { output_index: this.output.length, item_id: item.id };
    out.push({
      type: 'response.output_item.added',
      output_index: at.output_index,
      item: { ...item, arguments: '', status: 'in_progress' },
    });
    for (const delta of cutText(argumentsJson)) {
      out.push({ type: 'response.function_call_arguments.delta', ...at, delta });
    }
    const done = { ...item, arguments: argumentsJson, status: 'completed' };
    out.push(
      { type: 'response.function_call_arguments.done', ...at, name, arguments: argumentsJson },
      { type: 'response.output_item.done', output_index: at.output_index, item: done },
    );
    this.output.push(done);
  }

  private addRefusal(refusal: string, out: ResponseEvent[]): void {
    const at = { output_index: this.output.length, item_id: createId('msg'), content_index: 0 };
    const { output_index } = at;
    const item = { type: 'message', id: at.item_id, role: 'assistant' };
    const part = { type: 'refusal', refusal };
    const done = { ...item, status: 'incomplete', content: [part] };
    out.push(
      { type: 'response.output_item.added', output_index, item: { ...item, status: 'in_progress', content: [] } },
      { type: 'response.content_part.added', ...at, part: { type: 'refusal', refusal: '' } },
      { type: 'response.refusal.delta', ...at, delta: refusal },
      { type: 'response.refusal.done', ...at, refusal },
      { type: 'response.content_part.done', ...at, part },
      { type: 'response.output_item.done', output_index, item: done },
    );
    this.output.push(done);
  }
}

function toResponseUsage(usage: Usage) {
  return {
    input_tokens: usage.promptTokens,
    input_tokens_details: {
      cached_tokens: usage.cachedTokens ?? 0,
      cache_write_tokens: usage.cacheWriteTokens ?? 0,
    },
    output_tokens: usage.completionTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
    total_tokens: usage.promptTokens + usage.completionTokens,
  };
}

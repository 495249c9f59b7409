import type Anthropic from '@anthropic-ai/sdk';
import type { FinishReason, ModelEvent, Usage } from '../core/chat';
import type { CitedPassage } from '../core/knowledge';
import { passageSource } from './anthropic-request';

/** Turns raw stream events into ours, with what has to be remembered between them. */
export class EventReader {
  /** True once the stream's last event came: without it the answer is cut off, however it looks. */
  complete = false;

  private readonly numbers: ReadonlyMap<string, number>;
  private input: Pick<Usage, 'promptTokens' | 'cachedTokens' | 'cacheWriteTokens'> = { promptTokens: 0 };
  private output = 0;
  private stopReason: Anthropic.StopReason | null = null;
  private refusal: string | undefined;
  private cited = new Set<number>();
  private call: { id: string; name: string; json: string } | undefined;

  constructor(passages: readonly CitedPassage[]) {
    this.numbers = new Map(passages.map((passage) => [passageSource(passage.n), passage.n]));
  }

  read(event: Anthropic.RawMessageStreamEvent): ModelEvent[] {
    switch (event.type) {
      case 'message_start':
        return [this.usage(event.message.usage)];
      case 'content_block_start':
        if (event.content_block.type === 'tool_use') {
          this.call = { id: event.content_block.id, name: event.content_block.name, json: '' };
        }
        return [];
      case 'content_block_delta':
        return this.delta(event.delta);
      case 'content_block_stop':
        return this.blockEnd();
      case 'message_delta':
        this.stopReason = event.delta.stop_reason;
        this.refusal = event.delta.stop_details?.explanation ?? undefined;
        return [this.usage(event.usage)];
      case 'message_stop':
        this.complete = true;
        return [
          { type: 'finish', reason: toFinishReason(this.stopReason), ...(this.refusal && { refusal: this.refusal }) },
        ];
      default:
        // Newer event types are not errors.
        return [];
    }
  }

  private delta(delta: Anthropic.RawContentBlockDelta): ModelEvent[] {
    switch (delta.type) {
      case 'text_delta':
        return [{ type: 'text-delta', text: delta.text }];
      case 'thinking_delta':
        return [{ type: 'reasoning-delta', text: delta.thinking }];
      case 'input_json_delta':
        if (this.call) this.call.json += delta.partial_json;
        return [];
      case 'citations_delta': {
        // `search_result_index` counts over the whole request, so the number comes from `source`.
        const source = delta.citation.type === 'search_result_location' ? delta.citation.source : '';
        const n = this.numbers.get(source);
        if (n !== undefined) this.cited.add(n);
        return [];
      }
      default:
        return [];
    }
  }

  private blockEnd(): ModelEvent[] {
    const events: ModelEvent[] = [];
    if (this.cited.size > 0) events.push({ type: 'citation', passages: [...this.cited].sort((a, b) => a - b) });
    if (this.call) {
      const { id, name, json } = this.call;
      events.push({ type: 'tool-call', call: { id, name, argumentsJson: json.trim() === '' ? '{}' : json } });
    }
    this.cited = new Set();
    this.call = undefined;
    return events;
  }

  /**
   * Output counts are cumulative; the input's are known from the first event and may be corrected later. Gateways leave
   * out what they do not count: what is no number changes nothing.
   */
  private usage(usage: Partial<Anthropic.Usage | Anthropic.MessageDeltaUsage> = {}): ModelEvent {
    if (typeof usage.input_tokens === 'number') {
      const cachedTokens = usage.cache_read_input_tokens ?? 0;
      const cacheWriteTokens = usage.cache_creation_input_tokens ?? 0;
      this.input = {
        promptTokens: usage.input_tokens + cachedTokens + cacheWriteTokens,
        cachedTokens,
        cacheWriteTokens,
      };
    }
    const reasoningTokens = usage.output_tokens_details?.thinking_tokens;
    if (typeof usage.output_tokens === 'number') this.output = usage.output_tokens;
    return {
      type: 'usage',
      usage: {
        ...this.input,
        completionTokens: this.output,
        ...(typeof reasoningTokens === 'number' && { reasoningTokens }),
      },
    };
  }
}

function toFinishReason(reason: Anthropic.StopReason | null): FinishReason {
  switch (reason) {
    case 'max_tokens':
    case 'model_context_window_exceeded':
      return 'length';
    case 'tool_use':
      return 'tool-calls';
    case 'refusal':
      return 'content-filter';
    default:
      return 'stop';
  }
}

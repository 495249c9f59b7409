import type { FinishReason, Usage } from '../core/chat';

/** Zero where no model told: a client adds these numbers up. */
export function toUsage(usage: Usage = { promptTokens: 0, completionTokens: 0 }) {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens ?? 0, cache_write_tokens: usage.cacheWriteTokens ?? 0 },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
  };
}

const FINISH_REASONS = {
  stop: 'stop',
  length: 'length',
  'tool-calls': 'tool_calls',
  'content-filter': 'content_filter',
} as const satisfies Record<FinishReason, string>;

export function toFinishReason(reason: FinishReason): (typeof FINISH_REASONS)[FinishReason] {
  return FINISH_REASONS[reason];
}

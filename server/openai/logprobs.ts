import type { TokenLogprob } from '../core/chat';

/** OpenAI's form; `refusal` is a required key. */
export function toLogprobs(tokens: readonly TokenLogprob[]) {
  return {
    content: tokens.map(({ token, logprob, bytes, top }) => ({ token, logprob, bytes, top_logprobs: top })),
    refusal: null,
  };
}

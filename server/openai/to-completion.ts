import type { FinishReason, TokenLogprob, ToolCall } from '../core/chat';
import { AppError } from '../core/errors';
import type { RunEvent } from '../core/run';
import { UsageTally } from '../core/usage';
import type { CitationWriter } from './citation-writer';
import { toLogprobs } from './logprobs';
import { RagFacts } from './rag-facts';
import type { ChunkHead } from './to-chunks';
import { toFinishReason, toUsage } from './usage';

/** The whole answer of a stream: non-streaming replies are collected from the same events. The watchers see them too. */
export async function toChatCompletion(
  batches: AsyncIterable<readonly RunEvent[]>,
  head: Omit<ChunkHead, 'includeUsage'>,
  watchers: { facts: { see(events: readonly RunEvent[]): void }; citations: CitationWriter },
) {
  let text = '';
  let reasoning = '';
  const calls: ToolCall[] = [];
  const usage = new UsageTally();
  const rag = new RagFacts();
  const tokens: TokenLogprob[] = [];
  let refusal: string | null = null;
  let finish: FinishReason | undefined;
  for await (const events of batches) {
    watchers.facts.see(events);
    for (const event of events) {
      switch (event.type) {
        case 'step':
          rag.see(event);
          break;
        case 'retrieval':
          rag.see(event);
          watchers.citations.retrieved(event);
          break;
        case 'text-delta':
          text += event.text;
          watchers.citations.text(event);
          break;
        case 'reasoning-delta':
          reasoning += event.text;
          break;
        case 'logprobs':
          tokens.push(...event.tokens);
          break;
        case 'tool-call':
          calls.push(event.call);
          break;
        case 'usage':
          usage.see(event.usage, event.call);
          break;
        case 'conflicts':
          watchers.citations.conflicting(event);
          break;
        case 'evidence':
          rag.see(event);
          watchers.citations.evidence(event);
          break;
        case 'finish':
          finish = event.reason;
          refusal = event.refusal ?? null;
          break;
        default:
          event satisfies never;
      }
    }
  }
  if (finish === undefined) throw new AppError('stream_truncated', 'The answer ended before it was complete.');
  text += watchers.citations.footnotes();
  const annotations = watchers.citations.annotations();
  return {
    id: head.id,
    object: 'chat.completion' as const,
    created: head.created,
    model: head.model,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant' as const,
          content: text === '' && (calls.length > 0 || refusal !== null) ? null : text,
          refusal,
          ...(annotations.length > 0 && { annotations }),
          ...(reasoning !== '' && { reasoning_content: reasoning }),
          ...(calls.length > 0 && {
            tool_calls: calls.map(({ id, name, argumentsJson }) => ({
              id,
              type: 'function' as const,
              function: { name, arguments: argumentsJson },
            })),
          }),
        },
        logprobs: tokens.length > 0 ? toLogprobs(tokens) : null,
        finish_reason: toFinishReason(finish),
      },
    ],
    usage: toUsage(usage.total),
    ivy: { request_id: head.requestId, rag: rag.toWire(), ...watchers.citations.toWire() },
  };
}

import { z } from 'zod';
import { AppError } from '../core/errors';
import type { RunEvent, RunRequest } from '../core/run';
import { UsageTally } from '../core/usage';
import { toErrorBody } from './errors';
import { fromRag } from './rag-options';
import { toIgnored, toRequestError } from './request-errors';
import { toSampling } from './sampling';
import { optional, ragSchema, samplingFields } from './schema';
import type { ChunkHead } from './to-chunks';
import { toFinishReason, toUsage } from './usage';

const schema = z.looseObject({
  model: z.string().min(1),
  prompt: z.union([z.string(), z.array(z.string()).length(1, 'one prompt per request')], {
    error: 'must be a text; lists of tokens depend on a tokeniser that Ivy does not know',
  }),
  stream: optional(z.boolean()),
  stream_options: optional(z.looseObject({ include_usage: z.boolean().nullish() })),
  max_tokens: optional(z.number().int().min(1)),
  ...samplingFields,
  n: optional(z.number().int().min(1)),
  user: optional(z.string()),
  rag: optional(ragSchema),
});

const KNOWN_FIELDS: ReadonlySet<string> = new Set(Object.keys(schema.shape));

export interface TextCompletionCall {
  request: RunRequest;
  stream: boolean;
  includeUsage: boolean;
  ignored: readonly string[];
}

/** Decodes the legacy `POST /v1/completions`: the prompt becomes one user message. */
export function fromTextCompletion(body: unknown, headers: Headers): TextCompletionCall {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw toRequestError(parsed.error);
  const input = parsed.data;
  if (input.n !== undefined && input.n > 1) {
    throw new AppError('unsupported_value', 'n: Ivy writes one answer per request.', { param: 'n' });
  }
  const prompt = typeof input.prompt === 'string' ? input.prompt : (input.prompt[0] ?? '');
  return {
    request: {
      model: input.model,
      messages: [{ role: 'user', content: [{ type: 'text', text: prompt }] }],
      options: {
        maxTokens: input.max_tokens,
        ...toSampling(input),
      },
      rag: fromRag(input.rag, headers),
      user: input.user,
    },
    stream: input.stream ?? false,
    includeUsage: input.stream_options?.include_usage ?? false,
    ignored: toIgnored(body as object, KNOWN_FIELDS),
  };
}

/** Server-sent events of a legacy completion; reasoning and tool calls have no place in it. */
export class TextChunkEncoder {
  private readonly usage = new UsageTally();

  constructor(private readonly head: ChunkHead) {}

  encode(events: readonly RunEvent[]): string {
    let out = '';
    for (const event of events) {
      if (event.type === 'usage') this.usage.see(event.usage, event.call);
      if (event.type === 'text-delta') out += this.chunk([toChoice(event.text, null)]);
      if (event.type === 'finish') out += this.chunk([toChoice('', toFinishReason(event.reason))]);
    }
    return out;
  }

  end(): string {
    const usage = this.head.includeUsage ? this.chunk([], { usage: toUsage(this.usage.total) }) : '';
    return `${usage}data: [DONE]\n\n`;
  }

  fail(error: AppError): string {
    return `data: ${JSON.stringify(toErrorBody(error))}\n\ndata: [DONE]\n\n`;
  }

  private chunk(choices: readonly object[], more: object = {}): string {
    const { id, created, model } = this.head;
    return `data: ${JSON.stringify({ id, object: 'text_completion', created, model, choices, ...more })}\n\n`;
  }
}

/** The legacy form of a collected chat completion. */
export function toTextCompletion(completion: {
  id: string;
  created: number;
  model: string;
  choices: readonly { message: { content: string | null }; finish_reason: string }[];
  usage: object;
}) {
  const { id, created, model, choices, usage } = completion;
  return {
    id,
    object: 'text_completion' as const,
    created,
    model,
    choices: choices.map(({ message, finish_reason }) => toChoice(message.content ?? '', finish_reason)),
    usage,
  };
}

function toChoice(text: string, finishReason: string | null) {
  return { text, index: 0, logprobs: null, finish_reason: finishReason };
}

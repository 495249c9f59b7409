import { z } from 'zod';
import { CITATION_STYLES } from '../core/run';

/**
 * The request body of `POST /v1/chat/completions` as far as Ivy reads it. Loose: clients send more
 * than the specification knows, and `null` means absent nearly everywhere.
 */
export const optional = <T extends z.ZodType>(schema: T) => schema.nullish().transform((value) => value ?? undefined);

const textPart = z.looseObject({ type: z.literal('text'), text: z.string() });
/** Some clients send the address alone. */
const imageUrl = z.union([z.string(), z.looseObject({ url: z.string() })], { error: 'must be an object with a url' });
const imagePart = z.looseObject({
  type: z.literal('image_url'),
  image_url: imageUrl.transform((image) => (typeof image === 'string' ? image : image.url)),
});
const refusalPart = z.looseObject({ type: z.literal('refusal'), refusal: z.string() });

const textContent = z.union([z.string(), z.array(textPart)], { error: 'must be a string or an array of text parts' });
const userPart = z.discriminatedUnion('type', [textPart, imagePart], {
  error: 'must be a text or image_url part; other kinds of content are not supported',
});

const toolCall = z.looseObject({
  id: z.string().min(1),
  type: z.literal('function').optional(),
  function: z.looseObject({ name: z.string().min(1), arguments: z.string() }),
});

const message = z.discriminatedUnion(
  'role',
  [
    z.looseObject({ role: z.literal('system'), content: textContent }),
    z.looseObject({ role: z.literal('developer'), content: textContent }),
    z.looseObject({ role: z.literal('user'), content: z.union([z.string(), z.array(userPart)]) }),
    z.looseObject({
      role: z.literal('assistant'),
      content: z.union([z.string(), z.array(z.union([textPart, refusalPart]))]).nullish(),
      tool_calls: z.array(toolCall).nullish(),
    }),
    z.looseObject({ role: z.literal('tool'), tool_call_id: z.string().min(1), content: textContent }),
  ],
  { error: 'must be one of system, developer, user, assistant, tool' },
);

const tool = z.looseObject({
  type: z.literal('function', { error: 'only tools of type "function" are supported' }),
  function: z.looseObject({
    name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, _ or -'),
    description: z.string().nullish(),
    parameters: z.record(z.string(), z.unknown()).nullish(),
  }),
});

const namedTool = z.looseObject({ type: z.literal('function'), function: z.looseObject({ name: z.string() }) });
const toolChoice = z.union(
  [
    z.enum(['none', 'auto', 'required']),
    namedTool,
    z.looseObject({
      type: z.literal('allowed_tools'),
      allowed_tools: z.looseObject({ mode: z.enum(['auto', 'required']), tools: z.array(namedTool).min(1) }),
    }),
  ],
  { error: 'must be none, auto, required, a function, or allowed_tools' },
);

const responseFormat = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text') }),
  z.looseObject({ type: z.literal('json_object') }),
  z.looseObject({
    type: z.literal('json_schema'),
    json_schema: z.looseObject({ name: z.string(), schema: z.record(z.string(), z.unknown()) }),
  }),
]);

const tokenLimit = z
  .number()
  .int()
  .min(-1)
  // Both mean no limit.
  .transform((value) => (value <= 0 ? undefined : value));

/** What a request may change about retrieval. A misspelt name would silently change nothing, so it is refused. */
export const ragSchema = z.strictObject({
  enabled: optional(z.boolean()),
  query: optional(z.string().min(1).max(8_000)),
  top_k: optional(z.number().int().min(1).max(50)),
  min_score: optional(z.number().min(0).max(1)),
  collections: optional(z.array(z.string().min(1)).max(50)),
  citations: optional(z.enum(CITATION_STYLES)),
});

/** How tokens are chosen and where they end: the same in both kinds of completions. */
export const samplingFields = {
  temperature: optional(z.number().min(0).max(2)),
  top_p: optional(z.number().min(0).max(1)),
  frequency_penalty: optional(z.number().min(-2).max(2)),
  presence_penalty: optional(z.number().min(-2).max(2)),
  seed: optional(z.number().int()),
  stop: optional(z.union([z.string(), z.array(z.string()).max(4, 'at most 4 stop sequences')])),
};

export const chatCompletionSchema = z.looseObject({
  model: z.string().min(1),
  messages: z.array(message).min(1),
  stream: optional(z.boolean()),
  stream_options: optional(z.looseObject({ include_usage: z.boolean().nullish() })),
  max_completion_tokens: optional(tokenLimit),
  max_tokens: optional(tokenLimit),
  ...samplingFields,
  n: optional(z.number().int().min(1).max(128)),
  tools: optional(z.array(tool).max(128)),
  tool_choice: optional(toolChoice),
  parallel_tool_calls: optional(z.boolean()),
  response_format: optional(responseFormat),
  logprobs: optional(z.boolean()),
  top_logprobs: optional(z.number().int().min(0).max(20)),
  reasoning_effort: optional(z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'])),
  user: optional(z.string()),
  safety_identifier: optional(z.string()),
  modalities: optional(z.array(z.string())),
  audio: z.unknown().optional(),
  functions: z.unknown().optional(),
  function_call: z.unknown().optional(),
  rag: optional(ragSchema),
});

export type ChatCompletionBody = z.output<typeof chatCompletionSchema>;

/** Fields that are read or known to mean nothing; anything else is reported as ignored. */
export const KNOWN_FIELDS: ReadonlySet<string> = new Set(Object.keys(chatCompletionSchema.shape));

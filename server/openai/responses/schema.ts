import { z } from 'zod';
import { optional, ragSchema } from '../schema';

/** The request body of `POST /v1/responses` as far as Ivy reads it; Ivy keeps no conversation between requests. */
const textPart = z.looseObject({ type: z.enum(['input_text', 'output_text', 'text']), text: z.string() });
const refusalPart = z.looseObject({ type: z.literal('refusal'), refusal: z.string() });
const imagePart = z.looseObject({
  type: z.literal('input_image'),
  image_url: z.string({ error: 'must be a data: URL; files of OpenAI do not exist here' }),
});
const part = z.discriminatedUnion('type', [textPart, refusalPart, imagePart], {
  error: 'must be input_text, input_image, output_text or refusal; other kinds of content are not supported',
});

const messageItem = z.looseObject({
  type: z.literal('message').nullish(),
  role: z.enum(['user', 'assistant', 'system', 'developer'], {
    error: 'must be one of system, developer, user, assistant',
  }),
  content: z.union([z.string(), z.array(part)]),
});
const callItem = z.looseObject({
  type: z.literal('function_call'),
  call_id: z.string().min(1),
  name: z.string().min(1),
  arguments: z.string(),
});
const outputItem = z.looseObject({
  type: z.literal('function_call_output'),
  call_id: z.string().min(1),
  output: z.union([z.string(), z.array(textPart)]),
});
/** Thoughts of an earlier answer; a model is not given them again. */
const reasoningItem = z.looseObject({ type: z.literal('reasoning') });

/** What the AI SDK sends instead of an earlier answer unless `store` is false. */
const referenceItem = z.looseObject({ type: z.literal('item_reference'), id: z.string() });

const item = z.union([messageItem, callItem, outputItem, reasoningItem, referenceItem], {
  error: 'must be a message, function_call, function_call_output or reasoning item',
});

const functionTool = z.looseObject({
  type: z.literal('function'),
  name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, _ or -'),
  description: z.string().nullish(),
  parameters: z.record(z.string(), z.unknown()).nullish(),
});
/** Tools that run at OpenAI (web_search, file_search, …): clients offer them unasked, so they are left out and reported. */
const otherTool = z.looseObject({
  type: z
    .string()
    .refine((type) => type !== 'function', 'a function tool needs a name of 1 to 64 letters, digits, _ or -'),
});

const namedTool = z.looseObject({ type: z.literal('function'), name: z.string() });
const toolChoice = z.union(
  [
    z.enum(['none', 'auto', 'required']),
    namedTool,
    z.looseObject({
      type: z.literal('allowed_tools'),
      mode: z.enum(['auto', 'required']),
      tools: z.array(namedTool).min(1),
    }),
  ],
  { error: 'must be none, auto, required, a function, or allowed_tools' },
);

const format = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text') }),
  z.looseObject({ type: z.literal('json_object') }),
  z.looseObject({ type: z.literal('json_schema'), name: z.string(), schema: z.record(z.string(), z.unknown()) }),
]);

export const responsesSchema = z.looseObject({
  model: z.string().min(1),
  input: z.union([z.string().min(1), z.array(item).min(1)]),
  instructions: optional(z.string()),
  stream: optional(z.boolean()),
  max_output_tokens: optional(z.number().int().min(1)),
  temperature: optional(z.number().min(0).max(2)),
  top_p: optional(z.number().min(0).max(1)),
  tools: optional(z.array(z.union([functionTool, otherTool])).max(128)),
  tool_choice: optional(toolChoice),
  parallel_tool_calls: optional(z.boolean()),
  text: optional(z.looseObject({ format: optional(format) })),
  reasoning: optional(
    z.looseObject({ effort: optional(z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'])) }),
  ),
  include: optional(z.array(z.string())),
  top_logprobs: optional(z.number().int().min(0).max(20)),
  metadata: optional(z.record(z.string(), z.unknown())),
  user: optional(z.string()),
  safety_identifier: optional(z.string()),
  previous_response_id: z.unknown().optional(),
  conversation: z.unknown().optional(),
  background: z.unknown().optional(),
  prompt: z.unknown().optional(),
  rag: optional(ragSchema),
});

export type ResponsesBody = z.output<typeof responsesSchema>;
export type InputItem = Exclude<ResponsesBody['input'], string>[number];
export type FunctionTool = z.output<typeof functionTool>;

export const KNOWN_FIELDS: ReadonlySet<string> = new Set(Object.keys(responsesSchema.shape));

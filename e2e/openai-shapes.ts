import { expect } from 'playwright/test';
import { z } from 'zod';

// OpenAI's published shapes (openai-openapi, as the types of openai-node reproduce them), closed: a key that
// is neither theirs nor documented as ours fails. Ours are `ivy`, `event`, `reasoning_content`.

const count = z.number().int().min(0);
const support = z.number().min(0).max(1);
const number = z.number().int().min(1);
const evidence = z.array(
  z.strictObject({
    text: z.string().min(1),
    cites: z.array(number),
    attributed: number.optional(),
    outcome: z.enum(['supported', 'differs', 'no_source', 'unknown']),
    support: support.nullable(),
    supported: z.boolean().nullable(),
    issues: z.array(
      z.strictObject({
        kind: z.enum(['number', 'unit', 'identifier', 'force', 'negation', 'limit']),
        detail: z.string(),
        source: z.string().optional(),
      }),
    ),
    nearest: z.strictObject({ n: number, text: z.string() }).optional(),
    second_look: z.strictObject({ verdict: z.enum(['yes', 'no', 'not said']), model: z.string() }).optional(),
  }),
);
const side = z.strictObject({ n: number, value: z.string(), text: z.string() });
const checked = {
  evidence: evidence.optional(),
  unchecked: number.optional(),
  conflicts: z.array(z.strictObject({ subject: z.string(), first: side, second: side })).optional(),
};
const rag = z.strictObject({
  state: z.enum(['ok', 'empty', 'degraded', 'off']),
  reason: z.string().nullable(),
  cited: z.boolean().optional(),
});
const ivy = z.strictObject({
  request_id: z.string().regex(/^req_[0-9a-f]{24}$/),
  rag,
  ...checked,
});

const usage = z.strictObject({
  prompt_tokens: count,
  completion_tokens: count,
  total_tokens: count,
  prompt_tokens_details: z.strictObject({ cached_tokens: count, cache_write_tokens: count }),
  completion_tokens_details: z.strictObject({ reasoning_tokens: count }),
});

const tokenLogprob = z.strictObject({
  token: z.string(),
  logprob: z.number(),
  bytes: z.array(count).nullable(),
});
const topLogprob = tokenLogprob.extend({ top_logprobs: z.array(tokenLogprob) });
const logprobs = z.strictObject({ content: z.array(topLogprob).nullable(), refusal: z.null() }).nullable();

const annotation = z.strictObject({
  type: z.literal('url_citation'),
  url_citation: z.strictObject({ start_index: count, end_index: count, url: z.url(), title: z.string() }),
  support: support.optional(),
  attributed: z.literal(true).optional(),
});
const finishReason = z.enum(['stop', 'length', 'tool_calls', 'content_filter', 'function_call']);

const chatCompletion = z.strictObject({
  id: z.string().startsWith('chatcmpl-'),
  object: z.literal('chat.completion'),
  created: count,
  model: z.string(),
  choices: z
    .array(
      z.strictObject({
        index: z.literal(0),
        message: z.strictObject({
          role: z.literal('assistant'),
          content: z.string().nullable(),
          refusal: z.string().nullable(),
          annotations: z.array(annotation).min(1).optional(),
          reasoning_content: z.string().optional(),
          tool_calls: z
            .array(
              z.strictObject({
                id: z.string().min(1),
                type: z.literal('function'),
                function: z.strictObject({ name: z.string(), arguments: z.string() }),
              }),
            )
            .min(1)
            .optional(),
        }),
        logprobs,
        finish_reason: finishReason,
      }),
    )
    .length(1),
  usage,
  ivy,
});

export const chatChunk = z.strictObject({
  id: z.string().startsWith('chatcmpl-'),
  object: z.literal('chat.completion.chunk'),
  created: count,
  model: z.string(),
  choices: z.array(
    z.strictObject({
      index: z.literal(0),
      delta: z.strictObject({
        role: z.literal('assistant').optional(),
        content: z.string().optional(),
        refusal: z.string().optional(),
        reasoning_content: z.string().optional(),
        annotations: z.array(annotation).min(1).optional(),
        tool_calls: z
          .array(
            z.strictObject({
              index: count,
              id: z.string().min(1).optional(),
              type: z.literal('function').optional(),
              function: z.strictObject({ name: z.string().optional(), arguments: z.string() }),
            }),
          )
          .length(1)
          .optional(),
      }),
      logprobs,
      finish_reason: finishReason.nullable(),
    }),
  ),
  usage: usage.optional(),
  /** At the start what was retrieved, at the end how the answer was judged. */
  ivy: z.union([ivy, z.strictObject({ rag: rag.optional(), ...checked })]).optional(),
  event: z.looseObject({ type: z.enum(['status', 'source']), data: z.looseObject({}) }).optional(),
});

const errorBody = z.strictObject({
  error: z.strictObject({
    message: z.string().min(1),
    type: z.string().min(1),
    param: z.string().nullable(),
    code: z.string().nullable(),
  }),
});

const textChoice = z.strictObject({
  text: z.string(),
  index: z.literal(0),
  logprobs: z.null(),
  finish_reason: finishReason.nullable(),
});
const textCompletion = z.strictObject({
  id: z.string().startsWith('cmpl-'),
  object: z.literal('text_completion'),
  created: count,
  model: z.string(),
  choices: z.array(textChoice),
  usage: usage.optional(),
});

const embeddings = z.strictObject({
  object: z.literal('list'),
  data: z.array(
    z.strictObject({
      object: z.literal('embedding'),
      index: count,
      embedding: z.union([z.array(z.number()), z.base64()]),
    }),
  ),
  model: z.string(),
  usage: z.strictObject({ prompt_tokens: count, total_tokens: count }),
});

const model = z.looseObject({
  id: z.string(),
  object: z.literal('model'),
  created: count,
  owned_by: z.string(),
});
const models = z.strictObject({ object: z.literal('list'), data: z.array(model) });

const itemStatus = z.enum(['in_progress', 'completed', 'incomplete']);
const citation = z.strictObject({
  type: z.literal('url_citation'),
  start_index: count,
  end_index: count,
  url: z.url(),
  title: z.string(),
  support: support.optional(),
  attributed: z.literal(true).optional(),
});
const outputText = z.strictObject({
  type: z.literal('output_text'),
  text: z.string(),
  annotations: z.array(citation),
  logprobs: z.array(topLogprob),
});
const refusalPart = z.strictObject({ type: z.literal('refusal'), refusal: z.string() });
const reasoningText = z.strictObject({ type: z.literal('reasoning_text'), text: z.string() });
const item = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('message'),
    id: z.string().startsWith('msg_'),
    status: itemStatus,
    role: z.literal('assistant'),
    content: z.array(z.union([outputText, refusalPart])),
  }),
  z.strictObject({
    type: z.literal('reasoning'),
    id: z.string().startsWith('rs_'),
    status: itemStatus,
    summary: z.array(z.never()),
    content: z.array(reasoningText),
  }),
  z.strictObject({
    type: z.literal('function_call'),
    id: z.string().startsWith('fc_'),
    call_id: z.string().min(1),
    name: z.string(),
    arguments: z.string(),
    status: itemStatus,
  }),
]);

const response = z.strictObject({
  id: z.string().startsWith('resp_'),
  object: z.literal('response'),
  created_at: count,
  completed_at: count.nullable(),
  status: z.enum(['in_progress', 'completed', 'incomplete', 'failed']),
  error: z.strictObject({ code: z.enum(['server_error', 'rate_limit_exceeded']), message: z.string() }).nullable(),
  incomplete_details: z.strictObject({ reason: z.enum(['max_output_tokens', 'content_filter']) }).nullable(),
  instructions: z.string().nullable(),
  max_output_tokens: count.nullable(),
  model: z.string(),
  output: z.array(item),
  parallel_tool_calls: z.boolean(),
  previous_response_id: z.null(),
  store: z.literal(false),
  background: z.literal(false),
  truncation: z.literal('disabled'),
  service_tier: z.literal('default'),
  temperature: z.number().nullable(),
  top_p: z.number().nullable(),
  tool_choice: z.union([z.string(), z.looseObject({ type: z.string() })]),
  tools: z.array(z.looseObject({ type: z.literal('function'), name: z.string() })),
  text: z.strictObject({ format: z.looseObject({ type: z.string() }) }),
  reasoning: z.strictObject({ effort: z.string().nullable(), summary: z.null() }),
  metadata: z.record(z.string(), z.unknown()),
  user: z.string().nullable(),
  usage: z
    .strictObject({
      input_tokens: count,
      input_tokens_details: z.strictObject({ cached_tokens: count, cache_write_tokens: count }),
      output_tokens: count,
      output_tokens_details: z.strictObject({ reasoning_tokens: count }),
      total_tokens: count,
    })
    .nullable(),
  ivy,
});

const numbered = { sequence_number: count };
const place = { ...numbered, output_index: count, item_id: z.string(), content_index: count };
const callPlace = { ...numbered, output_index: count, item_id: z.string() };
const responseEvent = z.union([
  ...(['created', 'in_progress', 'completed', 'incomplete', 'failed'] as const).map((name) =>
    z.strictObject({ type: z.literal(`response.${name}`), ...numbered, response }),
  ),
  ...(['added', 'done'] as const).map((name) =>
    z.strictObject({ type: z.literal(`response.output_item.${name}`), ...numbered, output_index: count, item }),
  ),
  ...(['added', 'done'] as const).map((name) =>
    z.strictObject({
      type: z.literal(`response.content_part.${name}`),
      ...place,
      part: z.union([outputText, refusalPart, reasoningText]),
    }),
  ),
  z.strictObject({
    type: z.literal('response.output_text.delta'),
    ...place,
    delta: z.string(),
    logprobs: z.array(topLogprob),
  }),
  z.strictObject({
    type: z.literal('response.output_text.done'),
    ...place,
    text: z.string(),
    logprobs: z.array(topLogprob),
  }),
  z.strictObject({
    type: z.literal('response.output_text.annotation.added'),
    ...place,
    annotation_index: count,
    annotation: citation,
  }),
  z.strictObject({ type: z.literal('response.reasoning_text.delta'), ...place, delta: z.string() }),
  z.strictObject({ type: z.literal('response.reasoning_text.done'), ...place, text: z.string() }),
  z.strictObject({ type: z.literal('response.refusal.delta'), ...place, delta: z.string() }),
  z.strictObject({ type: z.literal('response.refusal.done'), ...place, refusal: z.string() }),
  z.strictObject({ type: z.literal('response.function_call_arguments.delta'), ...callPlace, delta: z.string() }),
  z.strictObject({
    type: z.literal('response.function_call_arguments.done'),
    ...callPlace,
    name: z.string(),
    arguments: z.string(),
  }),
]);

const BODIES: [RegExp, z.ZodType][] = [
  [/\/chat\/completions$/, chatCompletion],
  [/\/completions$/, textCompletion],
  [/\/embeddings$/, embeddings],
  [/\/responses$/, response],
  [/\/models$/, models],
  [/\/models\/.+$/, model],
];

/** The parsed `data:` lines of a stream, without the end mark. */
export function dataOf(text: string): unknown[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('data: ') && line !== 'data: [DONE]')
    .map((line) => JSON.parse(line.slice('data: '.length)));
}

/** How many bodies and chunks were found right so far. */
export const validated = { bodies: 0, chunks: 0 };

/** A `fetch` for client libraries that checks every body and every chunk on its way. */
export const checkingFetch: typeof fetch = async (input, init) => {
  const answer = await fetch(input, init);
  const path = new URL(input instanceof Request ? input.url : String(input)).pathname;
  const type = answer.headers.get('content-type') ?? '';
  expect(answer.headers.get('x-request-id')).toMatch(/^req_[0-9a-f]{24}$/);
  if (type.includes('json')) {
    const body: unknown = await answer.clone().json();
    const shape = answer.ok ? BODIES.find(([pattern]) => pattern.test(path))?.[1] : errorBody;
    conform(shape, body);
    validated.bodies += 1;
    return answer;
  }
  if (!answer.body) return answer;
  const [ours, theirs] = answer.body.tee();
  // The client may leave early: then what was read until then counts.
  new Response(ours).text().then(
    (text) => checkFrames(path, text),
    () => {},
  );
  return new Response(theirs, { status: answer.status, headers: answer.headers });
};

function checkFrames(path: string, text: string): void {
  for (const data of dataOf(text)) {
    if (path.endsWith('/responses')) conform(responseEvent, data);
    else if (path.endsWith('/chat/completions')) conform(z.union([chatChunk, errorBody]), data);
    else conform(z.union([textCompletion, errorBody]), data);
    validated.chunks += 1;
  }
}

const problems: string[] = [];

function conform(shape: z.ZodType | undefined, value: unknown): void {
  const result = shape?.safeParse(value);
  if (!result?.success) problems.push(`${JSON.stringify(value).slice(0, 500)}\n${result?.error.message}`);
}

/** Fails with everything that was not as published since the last call. */
export function expectConformance(): void {
  expect(problems.splice(0)).toEqual([]);
}

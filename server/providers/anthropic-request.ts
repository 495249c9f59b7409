import type Anthropic from '@anthropic-ai/sdk';
import { transformJSONSchema } from '@anthropic-ai/sdk/lib/transform-json-schema';
import type { ChatMessage, ChatRequest, ContentPart, GenerationOptions } from '../core/chat';
import { AppError } from '../core/errors';
import type { CitedPassage } from '../core/knowledge';

/** Used when the model list, which knows each model's limit, cannot be had. */
const DEFAULT_MAX_TOKENS = 8192;

type Body = Anthropic.MessageCreateParamsNonStreaming;
type UserContent = Exclude<Anthropic.UserMessageParam['content'], string>[number];

/**
 * The Messages API form of a request. Sampling parameters are dropped: the API version the SDK
 * speaks answers 400 to them.
 */
export function toAnthropicRequest(request: ChatRequest, info: Anthropic.ModelInfo | undefined): Body {
  const { options } = request;
  if (options.topLogprobs !== undefined) {
    throw new AppError('unsupported_parameter', 'logprobs: Claude does not report them.', { param: 'logprobs' });
  }
  const firstTurn = request.messages.findIndex((message) => message.role !== 'system');
  const system = request.messages
    .slice(0, firstTurn < 0 ? undefined : firstTurn)
    .map((message) => (message.role === 'system' ? message.text.trim() : ''))
    .filter((text) => text !== '');
  if (options.responseFormat?.type === 'json') system.push(JSON_ONLY);
  const turns = firstTurn < 0 ? [] : toTurns(request.messages.slice(firstTurn), request.passages);
  if (turns.length === 0) {
    throw new AppError('invalid_request', 'The conversation has no text to answer.', { param: 'messages' });
  }
  if (turns.at(-1)?.role === 'assistant') {
    throw new AppError('invalid_request', 'Claude cannot continue an assistant message; end with a user message.', {
      param: 'messages',
    });
  }
  const limit = info?.max_tokens ?? DEFAULT_MAX_TOKENS;
  return {
    model: request.model,
    max_tokens: Math.min(options.maxTokens ?? limit, limit),
    messages: turns,
    ...(system.length > 0 && {
      // A stable prefix; the breakpoint lets the API cache it.
      system: system.map((text, index) => ({
        type: 'text' as const,
        text,
        ...(index === system.length - 1 && { cache_control: { type: 'ephemeral' as const } }),
      })),
    }),
    ...toStop(options),
    ...toTools(options),
    ...toOutput(options, info),
    ...(request.user && { metadata: { user_id: request.user } }),
  };
}

/** Merges consecutive turns of one side; all tool results of a turn come before its text. */
function toTurns(messages: readonly ChatMessage[], passages: readonly CitedPassage[]): Anthropic.MessageParam[] {
  const lastUser = messages.findLastIndex((message) => message.role === 'user');
  const turns: (
    | { role: 'user'; content: UserContent[] }
    | { role: 'assistant'; content: Anthropic.ContentBlockParam[] }
  )[] = [];
  const userTurn = () => {
    const last = turns.at(-1);
    if (last?.role === 'user') return last.content;
    const content: UserContent[] = [];
    turns.push({ role: 'user', content });
    return content;
  };
  for (const [index, message] of messages.entries()) {
    switch (message.role) {
      case 'system':
        // The API takes a late system text only in some places and models; inside the user turn it always works.
        if (message.text.trim()) {
          userTurn().push({ type: 'text', text: `<system-reminder>\n${message.text}\n</system-reminder>` });
        }
        break;
      case 'user': {
        const content = message.content.flatMap(toUserBlock);
        if (content.length === 0) break;
        const turn = userTurn();
        if (index === lastUser) for (const block of passages.flatMap(toSearchResult)) turn.push(block);
        for (const block of content) turn.push(block);
        break;
      }
      case 'assistant': {
        const blocks: Anthropic.ContentBlockParam[] = [];
        if (message.text.trim()) blocks.push({ type: 'text', text: message.text });
        for (const call of message.toolCalls) {
          blocks.push({ type: 'tool_use', id: call.id, name: call.name, input: JSON.parse(call.argumentsJson) });
        }
        if (blocks.length === 0) break;
        const last = turns.at(-1);
        if (last?.role === 'assistant') last.content.push(...blocks);
        else turns.push({ role: 'assistant', content: blocks });
        break;
      }
      case 'tool': {
        const content = userTurn();
        // Results come first in a turn; there may be thousands.
        const last = content.at(-1)?.type === 'tool_result';
        const results = last ? content.length : content.filter((block) => block.type === 'tool_result').length;
        content.splice(results, 0, { type: 'tool_result', tool_use_id: message.toolCallId, content: message.text });
        break;
      }
      default:
        message satisfies never;
    }
  }
  if (turns[0]?.role === 'assistant') turns.unshift({ role: 'user', content: [{ type: 'text', text: '(continued)' }] });
  return turns;
}

function toUserBlock(part: ContentPart): UserContent[] {
  if (part.type === 'image') {
    return [{ type: 'image', source: { type: 'base64', media_type: part.mediaType, data: part.data } }];
  }
  return part.text.trim() ? [{ type: 'text', text: part.text }] : [];
}

/** Where a citation points to: the API hands `source` back as it was sent, and we map by it. */
export const passageSource = (n: number) => `passage:${n}`;

function toSearchResult(passage: CitedPassage): Anthropic.SearchResultBlockParam[] {
  // Blank paragraphs are refused; each block is the smallest unit that can be cited.
  const blocks = (passage.text ?? '')
    .split(/\n{2,}/)
    .map((text) => text.trim())
    .filter((text) => text !== '');
  if (blocks.length === 0) return [];
  return [
    {
      type: 'search_result',
      source: passageSource(passage.n),
      title: `${passage.source}, ${passage.pageKind} ${passage.page}${passage.heading ? `: ${passage.heading}` : ''}`,
      content: blocks.map((text) => ({ type: 'text', text })),
      citations: { enabled: true },
    },
  ];
}

function toStop(options: GenerationOptions): Partial<Body> {
  // Whitespace-only stop sequences are refused.
  const stop = options.stop?.filter((sequence) => sequence.trim() !== '') ?? [];
  return stop.length > 0 ? { stop_sequences: stop } : {};
}

function toTools(options: GenerationOptions): Partial<Body> {
  if (!options.tools || options.tools.length === 0) return {};
  const single = options.parallelToolCalls === false && { disable_parallel_tool_use: true };
  const choice = options.toolChoice ?? 'auto';
  return {
    tools: options.tools.map((tool) => ({
      name: tool.name,
      ...(tool.description && { description: tool.description }),
      input_schema: { ...tool.parameters, type: 'object' as const },
    })),
    // Several current models refuse a forced choice, so `required` and a named tool become `auto`.
    tool_choice: choice === 'none' ? { type: 'none' } : { type: 'auto', ...single },
  };
}

/** The API knows only JSON of a schema; for any JSON it has to be told. */
const JSON_ONLY = 'Answer with one JSON object and nothing else: no explanation, no code fence.';

/** The API takes a subset of JSON Schema; the SDK's own helper turns what lies outside it into descriptions. */
function toStrictSchema(schema: Record<string, unknown>): Record<string, unknown> {
  try {
    return { ...transformJSONSchema(schema) };
  } catch (error) {
    const param = 'response_format.json_schema.schema';
    const reason = error instanceof Error ? error.message : 'it cannot be used with Claude';
    throw new AppError('invalid_request', `${param}: ${reason}`, { param });
  }
}

function toOutput(options: GenerationOptions, info: Anthropic.ModelInfo | undefined): Partial<Body> {
  const body: Partial<Body> = {};
  const output: Anthropic.OutputConfig = {};
  if (options.responseFormat?.type === 'json-schema') {
    output.format = { type: 'json_schema', schema: toStrictSchema(options.responseFormat.schema) };
  }
  const { reasoningEffort: effort } = options;
  if (effort === 'none') {
    const types = info?.capabilities?.thinking?.types;
    if (types?.disabled.supported) body.thinking = { type: 'disabled' };
    else output.effort = 'low';
  } else if (effort) {
    output.effort = effort === 'minimal' ? 'low' : effort;
  }
  if (Object.keys(output).length > 0) body.output_config = output;
  return body;
}

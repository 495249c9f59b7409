import type { ChatMessage, ContentPart, GenerationOptions, ToolCall, ToolChoice } from '../../core/chat';
import { AppError } from '../../core/errors';
import type { CitationStyle, RunRequest } from '../../core/run';
import { detectChore } from '../chores';
import { decideCitationStyle, isJson } from '../citation-style';
import { checkArguments, checkToolChoice, checkToolResults, fromImage } from '../message-parts';
import { ownSources } from '../own-context';
import { fromRag } from '../rag-options';
import { checkLength, toIgnored, toRequestError } from '../request-errors';
import { type FunctionTool, type InputItem, KNOWN_FIELDS, type ResponsesBody, responsesSchema } from './schema';

export interface ResponsesCall {
  request: RunRequest;
  stream: boolean;
  citations: CitationStyle;
  /** Body fields that had no effect, for `x-ivy-ignored-params`. */
  ignored: readonly string[];
  /** What every response object repeats of its request. */
  echo: ResponseEcho;
}

export interface ResponseEcho {
  instructions: string | null;
  max_output_tokens: number | null;
  temperature: number | null;
  top_p: number | null;
  parallel_tool_calls: boolean;
  tool_choice: NonNullable<ResponsesBody['tool_choice']>;
  tools: readonly object[];
  text: object;
  reasoning: { effort: string | null; summary: null };
  metadata: Record<string, unknown>;
  user: string | null;
}

const STATEFUL = ['previous_response_id', 'conversation', 'background', 'prompt'] as const;

/** Decodes the body of `POST /v1/responses`; throws 400 naming the field that is wrong. */
export function fromResponses(body: unknown, headers: Headers, keyStyle?: CitationStyle): ResponsesCall {
  checkLength(body, 'input');
  const parsed = responsesSchema.safeParse(body);
  if (!parsed.success) throw toRequestError(parsed.error);
  const input = parsed.data;
  checkStateless(input);
  const tools = toFunctionTools(input);
  const { tool_choice: choice } = input;
  const offered = tools.map(({ name }) => name);
  if (typeof choice !== 'object') checkToolChoice(choice, [], offered);
  else checkToolChoice('named', choice.type === 'function' ? [choice.name] : [], offered);
  const items = typeof input.input === 'string' ? [] : input.input;
  const { messages, paths } =
    typeof input.input === 'string' ? fromText(input.input) : fromItems(items, input.instructions ? 1 : 0);
  if (input.instructions) messages.unshift({ role: 'system', text: input.instructions });
  checkToolResults(messages, (index) => `${paths[index] ?? 'input'}.call_id`);
  return {
    request: {
      model: input.model,
      messages,
      options: toOptions(input, tools),
      rag: fromRag(input.rag, headers),
      firstCitation: ownSources(messages) + 1,
      task: detectChore(headers, messages, input.stream ?? false),
      user: input.user ?? input.safety_identifier,
    },
    stream: input.stream ?? false,
    citations: decideCitationStyle(input.rag?.citations, headers, keyStyle, isJson(input.text?.format)),
    ignored: [
      ...toIgnored(body as object, KNOWN_FIELDS),
      ...(input.tools ?? []).filter((tool) => tool.type !== 'function').map(({ type }) => `tools.${type}`),
    ],
    echo: toEcho(input, tools),
  };
}

function checkStateless(input: ResponsesBody): void {
  for (const param of STATEFUL) {
    if (input[param] == null || input[param] === false) continue;
    throw new AppError(
      'unsupported_parameter',
      `${param}: Ivy keeps no conversation; send all earlier items as input.`,
      { param },
    );
  }
}

function toFunctionTools({ tools, tool_choice: choice }: ResponsesBody): FunctionTool[] {
  const all = (tools ?? []).filter((tool): tool is FunctionTool => tool.type === 'function' && 'name' in tool);
  if (typeof choice !== 'object' || choice.type !== 'allowed_tools') return all;
  const allowed = new Set(choice.tools.map(({ name }) => name));
  return all.filter(({ name }) => allowed.has(name));
}

function fromText(text: string): { messages: ChatMessage[]; paths: string[] } {
  return { messages: [{ role: 'user', content: [{ type: 'text', text }] }], paths: [] };
}

/** Calls belong to the assistant's turn before them. `paths` name the item of each message, `offset` later. */
function fromItems(items: readonly InputItem[], offset: number): { messages: ChatMessage[]; paths: string[] } {
  const messages: ChatMessage[] = [];
  const paths: string[] = [];
  let calls: ToolCall[] = [];
  for (const [index, item] of items.entries()) {
    const path = `input[${index}]`;
    const message = fromItem(item, path);
    if (!message) continue;
    const last = messages.at(-1);
    if (message.role === 'assistant' && message.text === '' && last?.role === 'assistant') {
      calls.push(...message.toolCalls);
      continue;
    }
    // Later calls of the same turn are added to its own list.
    calls = message.role === 'assistant' ? [...message.toolCalls] : [];
    messages.push(message.role === 'assistant' ? { ...message, toolCalls: calls } : message);
    paths[messages.length - 1 + offset] = path;
  }
  if (messages.length === 0) throw new AppError('invalid_request', 'input: holds no message.', { param: 'input' });
  return { messages, paths };
}

function fromItem(item: InputItem, path: string): ChatMessage | undefined {
  if (item.type == null || item.type === 'message')
    return fromMessage(item as Extract<InputItem, { role: unknown }>, path);
  switch (item.type) {
    case 'function_call': {
      const argumentsJson = checkArguments(item.arguments, `${path}.arguments`);
      return { role: 'assistant', text: '', toolCalls: [{ id: item.call_id, name: item.name, argumentsJson }] };
    }
    case 'function_call_output': {
      const text = typeof item.output === 'string' ? item.output : item.output.map((part) => part.text).join('\n');
      return { role: 'tool', toolCallId: item.call_id, text };
    }
    case 'item_reference':
      throw new AppError(
        'unsupported_value',
        `${path}: Ivy keeps no items of earlier answers, so it cannot follow an item_reference. Send the items themselves: ` +
          'set store to false (AI SDK: providerOptions: { openai: { store: false } }).',
        { param: path },
      );
    default:
      return undefined;
  }
}

function fromMessage({ role, content }: Extract<InputItem, { role: unknown }>, path: string): ChatMessage {
  const parts: ContentPart[] =
    typeof content === 'string'
      ? [{ type: 'text', text: content }]
      : content.map((part, at) => {
          if (part.type === 'input_image') return fromImage(part.image_url, `${path}.content[${at}].image_url`);
          return { type: 'text', text: part.type === 'refusal' ? part.refusal : part.text };
        });
  if (role === 'user') return { role, content: parts };
  const text = parts.map((part) => (part.type === 'text' ? part.text : '')).join('\n');
  return role === 'assistant' ? { role, text, toolCalls: [] } : { role: 'system', text };
}

function toOptions(input: ResponsesBody, tools: readonly FunctionTool[]): GenerationOptions {
  const { format } = input.text ?? {};
  const logprobs = input.top_logprobs !== undefined || input.include?.includes('message.output_text.logprobs');
  return {
    maxTokens: input.max_output_tokens,
    temperature: input.temperature,
    topP: input.top_p,
    reasoningEffort: input.reasoning?.effort,
    responseFormat:
      format?.type === 'json_schema'
        ? { type: 'json-schema', name: format.name, schema: format.schema }
        : format && { type: format.type === 'text' ? 'text' : 'json' },
    tools: input.tools && [
      ...tools.map(({ name, description, parameters }) => ({
        name,
        description: description ?? undefined,
        parameters: parameters ?? { type: 'object', properties: {} },
      })),
    ],
    toolChoice: toToolChoice(input.tool_choice),
    parallelToolCalls: input.parallel_tool_calls,
    topLogprobs: logprobs ? (input.top_logprobs ?? 0) : undefined,
  };
}

function toToolChoice(choice: ResponsesBody['tool_choice']): ToolChoice | undefined {
  if (typeof choice !== 'object') return choice;
  return choice.type === 'function' ? { name: choice.name } : choice.mode;
}

function toEcho(input: ResponsesBody, tools: readonly FunctionTool[]): ResponseEcho {
  return {
    instructions: input.instructions ?? null,
    max_output_tokens: input.max_output_tokens ?? null,
    temperature: input.temperature ?? null,
    top_p: input.top_p ?? null,
    parallel_tool_calls: input.parallel_tool_calls ?? true,
    tool_choice: input.tool_choice ?? 'auto',
    tools: tools.map(({ name, description, parameters, ...more }) => ({
      type: 'function',
      name,
      description: description ?? null,
      parameters: parameters ?? null,
      strict: more['strict'] ?? null,
    })),
    text: { format: input.text?.format ?? { type: 'text' } },
    reasoning: { effort: input.reasoning?.effort ?? null, summary: null },
    metadata: input.metadata ?? {},
    user: input.user ?? null,
  };
}

import type { ChatMessage, ContentPart, GenerationOptions, ResponseFormat, ToolChoice } from '../core/chat';
import { AppError } from '../core/errors';
import type { CitationStyle, RunRequest } from '../core/run';
import { detectChore } from './chores';
import { decideCitationStyle, isJson } from './citation-style';
import { checkArguments, checkToolChoice, checkToolResults, fromImage } from './message-parts';
import { ownSources } from './own-context';
import { fromRag } from './rag-options';
import { checkLength, toIgnored, toRequestError } from './request-errors';
import { toSampling } from './sampling';
import { type ChatCompletionBody, chatCompletionSchema, KNOWN_FIELDS } from './schema';

export interface ChatCompletionCall {
  request: RunRequest;
  stream: boolean;
  includeUsage: boolean;
  citations: CitationStyle;
  /** Body fields that had no effect, for `x-ivy-ignored-params`. */
  ignored: readonly string[];
}

/** Decodes a chat completion body; throws 400 naming the field that is wrong. `keyStyle` is what the caller's key prefers. */
export function fromChatCompletion(body: unknown, headers: Headers, keyStyle?: CitationStyle): ChatCompletionCall {
  checkLength(body, 'messages');
  const parsed = chatCompletionSchema.safeParse(body);
  if (!parsed.success) throw toRequestError(parsed.error);
  const input = parsed.data;
  checkUnsupported(input);
  const messages = input.messages.map(fromMessage);
  checkToolResults(messages, (index) => `messages[${index}].tool_call_id`);
  const call: ChatCompletionCall = {
    request: {
      model: input.model,
      messages,
      options: fromOptions(input),
      rag: fromRag(input.rag, headers),
      firstCitation: ownSources(messages) + 1,
      task: detectChore(headers, messages, input.stream ?? false),
      user: input.user ?? input.safety_identifier,
    },
    stream: input.stream ?? false,
    includeUsage: input.stream_options?.include_usage ?? false,
    citations: decideCitationStyle(input.rag?.citations, headers, keyStyle, isJson(input.response_format)),
    ignored: toIgnored(body as object, KNOWN_FIELDS),
  };
  return call;
}

function checkUnsupported(input: ChatCompletionBody): void {
  if (input.n !== undefined && input.n > 1) {
    throw new AppError('unsupported_value', 'n: Ivy writes one answer per request.', { param: 'n' });
  }
  if (input.modalities?.some((modality) => modality !== 'text') || input.audio != null) {
    const param = input.audio == null ? 'modalities' : 'audio';
    throw new AppError('unsupported_value', `${param}: Ivy writes text only.`, { param });
  }
  for (const param of ['functions', 'function_call'] as const) {
    // Some clients send an empty list, or `none`, with every request.
    if (input[param] == null || input.tools || isNone(input[param])) continue;
    throw new AppError('unsupported_parameter', `${param}: this is the old form; send tools and tool_choice.`, {
      param,
    });
  }
  if (input.top_logprobs !== undefined && !input.logprobs) {
    throw new AppError('invalid_request', 'top_logprobs: needs logprobs set to true.', { param: 'top_logprobs' });
  }
  const { tools = [], tool_choice: choice } = input;
  const offered = tools.map((tool) => tool.function.name);
  if (typeof choice !== 'object') checkToolChoice(choice, [], offered);
  else if (choice.type === 'function') checkToolChoice('named', [choice.function.name], offered);
  else
    checkToolChoice(
      'named',
      choice.allowed_tools.tools.map((tool) => tool.function.name),
      offered,
    );
}

const isNone = (value: unknown) => value === 'none' || value === 'auto' || (Array.isArray(value) && value.length === 0);

function fromMessage(message: ChatCompletionBody['messages'][number], index: number): ChatMessage {
  switch (message.role) {
    case 'system':
    case 'developer':
      return { role: 'system', text: fromText(message.content) };
    case 'user':
      return { role: 'user', content: fromUserContent(message.content, index) };
    case 'assistant': {
      const toolCalls = (message.tool_calls ?? []).map((call, at) => ({
        id: call.id,
        name: call.function.name,
        argumentsJson: checkArguments(
          call.function.arguments,
          `messages[${index}].tool_calls[${at}].function.arguments`,
        ),
      }));
      if (message.content == null && message.tool_calls == null) {
        const param = `messages[${index}].content`;
        throw new AppError('invalid_request', `${param}: may only be null together with tool_calls`, { param });
      }
      return { role: 'assistant', text: fromText(message.content ?? ''), toolCalls };
    }
    case 'tool':
      return { role: 'tool', toolCallId: message.tool_call_id, text: fromText(message.content) };
    default:
      return message satisfies never;
  }
}

function fromText(content: string | readonly ({ text: string } | { refusal: string })[]): string {
  if (typeof content === 'string') return content;
  return content.map((part) => ('text' in part ? (part.text as string) : (part.refusal as string))).join('\n');
}

type UserContent = Extract<ChatCompletionBody['messages'][number], { role: 'user' }>['content'];

function fromUserContent(content: UserContent, index: number): ContentPart[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return content.map((part, at) =>
    part.type === 'text'
      ? { type: 'text', text: part.text }
      : fromImage(part.image_url, `messages[${index}].content[${at}].image_url.url`),
  );
}

function fromOptions(input: ChatCompletionBody): GenerationOptions {
  return {
    maxTokens: input.max_completion_tokens ?? input.max_tokens,
    ...toSampling(input),
    reasoningEffort: input.reasoning_effort,
    responseFormat: input.response_format && fromResponseFormat(input.response_format),
    tools: allowedTools(input)?.map(({ function: tool }) => ({
      name: tool.name,
      description: tool.description ?? undefined,
      parameters: tool.parameters ?? { type: 'object', properties: {} },
    })),
    toolChoice: input.tool_choice && fromToolChoice(input.tool_choice),
    parallelToolCalls: input.parallel_tool_calls,
    topLogprobs: input.logprobs ? (input.top_logprobs ?? 0) : undefined,
  };
}

function allowedTools({ tools, tool_choice: choice }: ChatCompletionBody) {
  if (typeof choice !== 'object' || choice.type !== 'allowed_tools') return tools;
  const allowed = new Set(choice.allowed_tools.tools.map((tool) => tool.function.name));
  return tools?.filter((tool) => allowed.has(tool.function.name));
}

function fromResponseFormat(format: NonNullable<ChatCompletionBody['response_format']>): ResponseFormat {
  switch (format.type) {
    case 'text':
      return { type: 'text' };
    case 'json_object':
      return { type: 'json' };
    case 'json_schema':
      return { type: 'json-schema', name: format.json_schema.name, schema: format.json_schema.schema };
    default:
      return format satisfies never;
  }
}

function fromToolChoice(choice: NonNullable<ChatCompletionBody['tool_choice']>): ToolChoice {
  if (typeof choice === 'string') return choice;
  return choice.type === 'function' ? { name: choice.function.name } : choice.allowed_tools.mode;
}

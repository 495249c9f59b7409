import type { z } from 'zod';
import type { ChatMessage, ContentPart, GenerationOptions, ImagePart, ResponseFormat, ToolChoice } from '../core/chat';
import { AppError } from '../core/errors';
import type { RagOptions, RunRequest } from '../core/run';
import { type CitationStyle, decideCitationStyle } from './citation-style';
import { detectTask, ownSources } from './open-webui';
import { type ChatCompletionBody, chatCompletionSchema, KNOWN_FIELDS } from './schema';

export interface ChatCompletionCall {
  request: RunRequest;
  stream: boolean;
  includeUsage: boolean;
  citations: CitationStyle;
  /** Body fields that had no effect, for `x-ivy-ignored-params`. */
  ignored: readonly string[];
}

/** Decodes a chat completion body; throws 400 naming the field that is wrong. */
export function fromChatCompletion(body: unknown, headers: Headers): ChatCompletionCall {
  const parsed = chatCompletionSchema.safeParse(body);
  if (!parsed.success) throw toRequestError(parsed.error);
  const input = parsed.data;
  checkUnsupported(input);
  const messages = input.messages.map(fromMessage);
  checkToolResults(messages);
  const call: ChatCompletionCall = {
    request: {
      model: input.model,
      messages,
      options: fromOptions(input),
      rag: fromRag(input.rag, headers),
      firstCitation: ownSources(messages) + 1,
      task: detectTask(headers, messages, input.stream ?? false),
      user: input.user ?? input.safety_identifier,
    },
    stream: input.stream ?? false,
    includeUsage: input.stream_options?.include_usage ?? false,
    citations: toCitationStyle(input, headers),
    ignored: toIgnored(body as object, KNOWN_FIELDS),
  };
  return call;
}

/** Retrieval options of the body; a header stands in for an absent one. */
export function fromRag(rag: ChatCompletionBody['rag'], headers: Headers): RagOptions {
  const number = (name: string, min: number, max: number) => {
    const text = headers.get(name);
    if (text === null) return undefined;
    const value = Number(text);
    if (text.trim() !== '' && value >= min && value <= max) return value;
    throw new AppError('invalid_request', `${name}: must be a number from ${min} to ${max}`, { param: name });
  };
  const state = headers.get('x-ivy-rag')?.trim().toLowerCase();
  if (state !== undefined && state !== 'off' && state !== 'on') {
    throw new AppError('invalid_request', 'x-ivy-rag: must be on or off', { param: 'x-ivy-rag' });
  }
  const topK = rag?.top_k ?? number('x-ivy-top-k', 1, 50);
  const names = headers
    .get('x-ivy-collections')
    ?.split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return {
    enabled: rag?.enabled ?? (state === undefined ? undefined : state === 'on'),
    topK: topK === undefined ? undefined : Math.floor(topK),
    minScore: rag?.min_score ?? number('x-ivy-min-score', 0, 1),
    collections: rag?.collections ?? names,
  };
}

const OLD_FORM: ReadonlySet<string> = new Set(['functions', 'function_call']);

/** Fields of the body that have no effect; an absent one is no field. */
export function toIgnored(body: object, known: ReadonlySet<string>): string[] {
  const set = Object.entries(body).filter(([, value]) => value != null);
  // `functions` beside `tools` is the old form of the same wish.
  return set.map(([name]) => name).filter((name) => !known.has(name) || OLD_FORM.has(name));
}

/** Text after a JSON answer would break it, and what looks like a marker in it is a list. */
function toCitationStyle(input: ChatCompletionBody, headers: Headers): CitationStyle {
  const style = decideCitationStyle(input.rag?.citations, headers);
  const json = input.response_format !== undefined && input.response_format.type !== 'text';
  return json && (style === 'footnotes' || style === 'annotations') ? 'none' : style;
}

/** The first problem of a failed parse as a 400 with the field's path: `messages[1].role`. */
export function toRequestError(error: z.ZodError): AppError {
  const issue = deepest(error.issues);
  const param = issue ? toPath(issue.path) : '';
  const message = issue ? toPlainWords(issue.message) : 'The request is not valid.';
  return new AppError('invalid_request', param ? `${param}: ${message}` : message, param ? { param } : {});
}

/** Zod's own sentences, as a person would say them. */
function toPlainWords(message: string): string {
  return message
    .replace(/^Invalid input: expected \w+, received undefined$/, 'is required')
    .replace(
      /^Invalid input: expected (\w+), received (\w+)$/,
      (_, wanted, got) => `must be ${article(wanted)}, not ${got}`,
    )
    .replace(/^Too (?:small|big): expected (?:\w+) to (?:be|have) ([<>]=?)(-?[\d.]+)(.*)$/, 'must be $1 $2$3')
    .replace(/^Invalid option: expected one of /, 'must be one of ')
    .replace(/^Unrecognized keys?: /, 'unknown: ');
}

const article = (noun: string) => (/^[aeiou]/.test(noun) ? `an ${noun}` : `a ${noun}`);

type Issue = z.core.$ZodIssue;

/** In a union the branch that got furthest tells most. */
function deepest(issues: readonly Issue[]): Issue | undefined {
  const [first] = issues;
  if (first?.code !== 'invalid_union') return first;
  const branches = first.errors.map((branch) => deepest(branch)).filter((issue) => issue !== undefined);
  const best = branches.sort((a, b) => b.path.length - a.path.length)[0];
  return best && best.path.length > 0 ? { ...best, path: [...first.path, ...best.path] } : first;
}

function toPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? String(key) : `${text}.${String(key)}`;
  }, '');
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
    if (input[param] == null || input.tools) continue;
    throw new AppError('unsupported_parameter', `${param}: this is the old form; send tools and tool_choice.`, {
      param,
    });
  }
  if (input.top_logprobs !== undefined && !input.logprobs) {
    throw new AppError('invalid_request', 'top_logprobs: needs logprobs set to true.', { param: 'top_logprobs' });
  }
  checkToolChoice(input);
}

/** A choice among tools that are not there would be followed by nobody. */
function checkToolChoice({ tools = [], tool_choice: choice }: ChatCompletionBody): void {
  if (choice === undefined || choice === 'none' || choice === 'auto') return;
  const wanted =
    choice === 'required'
      ? []
      : choice.type === 'function'
        ? [choice.function.name]
        : choice.allowed_tools.tools.map((tool) => tool.function.name);
  const missing = wanted.find((name) => !tools.some((tool) => tool.function.name === name));
  if (tools.length > 0 && missing === undefined) return;
  const problem = missing === undefined ? 'needs tools to choose from' : `there is no tool named ${missing}`;
  throw new AppError('invalid_request', `tool_choice: ${problem}.`, { param: 'tool_choice' });
}

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
      if (message.content == null && toolCalls.length === 0) {
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
      : fromImage(part.image_url.url, `messages[${index}].content[${at}].image_url.url`),
  );
}

/** Only inline images: a link would make Ivy fetch what a client names. */
function fromImage(url: string, param: string): ImagePart {
  const match = /^data:(image\/(?:jpeg|png|webp|gif));base64,([A-Za-z0-9+/=\s]+)$/.exec(url);
  if (!match?.[1] || !match[2]) {
    throw new AppError(
      'unsupported_value',
      `${param}: must be a data: URL with a base64 JPEG, PNG, WebP or GIF image`,
      { param },
    );
  }
  return { type: 'image', mediaType: match[1] as ImagePart['mediaType'], data: match[2].replace(/\s/g, '') };
}

/** No-argument calls come as an empty string. */
function checkArguments(text: string, param: string): string {
  if (text.trim() === '') return '{}';
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return text;
  } catch {}
  throw new AppError('invalid_request', `${param}: must be a JSON object as text`, { param });
}

/** Providers answer unmatched ids with errors that nobody understands. */
function checkToolResults(messages: readonly ChatMessage[]): void {
  const called = new Set<string>();
  for (const [index, message] of messages.entries()) {
    if (message.role === 'assistant') for (const call of message.toolCalls) called.add(call.id);
    if (message.role !== 'tool' || called.has(message.toolCallId)) continue;
    const param = `messages[${index}].tool_call_id`;
    throw new AppError('invalid_request', `${param}: no earlier assistant message made this call`, { param });
  }
}

function fromOptions(input: ChatCompletionBody): GenerationOptions {
  return {
    maxTokens: input.max_completion_tokens ?? input.max_tokens,
    temperature: input.temperature,
    topP: input.top_p,
    frequencyPenalty: input.frequency_penalty,
    presencePenalty: input.presence_penalty,
    seed: input.seed,
    stop: typeof input.stop === 'string' ? [input.stop] : input.stop,
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

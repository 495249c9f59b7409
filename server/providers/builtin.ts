import type { ChatProvider, ChatRequest, GenerationOptions, ModelEvent, ModelInfo, OptionName } from '../core/chat';
import { textOf } from '../core/chat';
import type { CitedPassage } from '../core/knowledge';
import { bestExcerpt } from './excerpt';

const MODEL: ModelInfo = {
  id: 'builtin',
  contextLength: undefined,
  capabilities: { vision: false, tools: false, thinking: false, embedding: false },
};

/** A question stands at the end of what was pasted before it. */
const MAX_QUESTION_CHARS = 8_000;
/** Passages quoted at most; the others stay listed as sources. */
const MAX_QUOTES = 3;

/**
 * The provider for a machine without any language model: it quotes the best passages word for word
 * and says plainly that this is all it does.
 */
export class BuiltinProvider implements ChatProvider {
  readonly id = 'builtin';
  readonly grounding = 'blocks';
  readonly local = true;
  readonly generative = false;

  async models(): Promise<readonly ModelInfo[]> {
    return [MODEL];
  }

  /** It quotes; nothing shapes that. */
  ignores(options: GenerationOptions): readonly OptionName[] {
    return (Object.keys(options) as OptionName[]).filter((name) => options[name] !== undefined);
  }

  async *stream(request: ChatRequest, signal: AbortSignal): AsyncIterable<readonly ModelEvent[]> {
    const question = [...request.messages].reverse().find((message) => message.role === 'user');
    const paragraphs = compose(question ? textOf(question).slice(-MAX_QUESTION_CHARS) : '', request);
    for (const [index, paragraph] of paragraphs.entries()) {
      signal.throwIfAborted();
      const [first, ...rest] = paragraph;
      const lead: ModelEvent = { type: 'text-delta', text: index === 0 ? '' : '\n\n' };
      yield first?.type === 'text-delta' ? [{ ...first, text: lead.text + first.text }, ...rest] : [lead, ...paragraph];
    }
    // No model counts tokens here, so none are claimed.
    yield [
      { type: 'usage', usage: { promptTokens: 0, completionTokens: 0 } },
      { type: 'finish', reason: 'stop' },
    ];
  }
}

/** Quotations are text, so that a number in brackets within one is never taken for a citation; citations are events. */
type Paragraph = readonly ModelEvent[];
const plain = (text: string): Paragraph => [{ type: 'text-delta', text }];

function compose(question: string, { passages, retrieval, missing, weak }: ChatRequest): Paragraph[] {
  const notice =
    '*No language model is configured, so Ivy quotes the documents instead of writing an answer. ' +
    'Start Ollama with a chat model, or choose Claude on the admin page.*';
  const quotable = passages.filter((passage) => passage.text);
  const names = [...(missing?.identifiers ?? []), ...(missing?.words ?? [])].map((name) => `“${name}”`).join(', ');
  const absent = names === '' ? [] : [plain(`**No document contains ${names}.**`)];
  if (quotable.length > 0) {
    const lead = names !== '' || weak ? 'The passages that come nearest:' : 'The passages that match best:';
    const quotes = quotable.slice(0, MAX_QUOTES).map((passage) => quote(question, passage));
    return [plain(notice), ...absent, plain(lead), ...quotes];
  }
  const says = (text: string) => [plain(notice), ...absent, plain(text)];
  if (retrieval === 'off') return [plain(notice), plain('The documents were not searched. Ask a question about them.')];
  if (retrieval === 'degraded') return [plain(notice), plain('The documents could not be searched just now.')];
  if (passages.length === 0) return says('Nothing in the documents matches this question.');
  const places = passages.flatMap((passage, index): ModelEvent[] => [
    { type: 'text-delta', text: `${index === 0 ? '' : '\n'}- ${passage.source}, page ${passage.page}` },
    { type: 'citation', passages: [passage.n] },
  ]);
  return [...says('These places match, but the knowledge agent sent no text to quote:'), places];
}

function quote(question: string, passage: CitedPassage): Paragraph {
  const place = passage.pageKind === 'page' ? `page ${passage.page}` : (passage.heading ?? `section ${passage.page}`);
  const lines = bestExcerpt(passage.text ?? '', question).split('\n');
  return [
    { type: 'text-delta', text: `**${passage.source}, ${place}**` },
    { type: 'citation', passages: [passage.n] },
    { type: 'text-delta', text: `\n\n${lines.map((line) => `> ${line}`.trimEnd()).join('\n')}` },
  ];
}

import type { ChatProvider, ChatRequest, GenerationOptions, ModelEvent, ModelInfo, OptionName } from '../core/chat';
import { textOf } from '../core/chat';
import type { CitedPassage } from '../core/knowledge';
import { bestExcerpt } from './excerpt';

const MODEL: ModelInfo = {
  id: 'builtin',
  contextLength: undefined,
  capabilities: { vision: false, tools: false, thinking: false, embedding: false },
};

/** Passages quoted at most; the others stay listed as sources. */
const MAX_QUOTES = 3;

/**
 * The provider for a machine without any language model: it quotes the best passages word for word
 * and says plainly that this is all it does.
 */
export class BuiltinProvider implements ChatProvider {
  readonly id = 'builtin';
  readonly grounding = 'blocks';

  async models(): Promise<readonly ModelInfo[]> {
    return [MODEL];
  }

  /** It quotes; nothing shapes that. */
  ignores(options: GenerationOptions): readonly OptionName[] {
    return (Object.keys(options) as OptionName[]).filter((name) => options[name] !== undefined);
  }

  async *stream(request: ChatRequest, signal: AbortSignal): AsyncIterable<readonly ModelEvent[]> {
    const question = [...request.messages].reverse().find((message) => message.role === 'user');
    const paragraphs = compose(question ? textOf(question) : '', request);
    for (const [index, paragraph] of paragraphs.entries()) {
      signal.throwIfAborted();
      yield [{ type: 'text-delta', text: index === 0 ? paragraph : `\n\n${paragraph}` }];
    }
    // No model counts tokens here, so none are claimed.
    yield [
      { type: 'usage', usage: { promptTokens: 0, completionTokens: 0 } },
      { type: 'finish', reason: 'stop' },
    ];
  }
}

function compose(question: string, { passages, retrieval, missing, weak }: ChatRequest): string[] {
  const notice =
    '*No language model is configured, so Ivy quotes the documents instead of writing an answer. ' +
    'Start Ollama with a chat model, or choose Claude on the admin page.*';
  const quotable = passages.filter((passage) => passage.text);
  const names = [...(missing?.identifiers ?? []), ...(missing?.words ?? [])].map((name) => `“${name}”`).join(', ');
  const absent = names === '' ? [] : [`**No document contains ${names}.**`];
  if (quotable.length > 0) {
    const lead = names !== '' || weak ? 'The passages that come nearest:' : 'The passages that match best:';
    return [notice, ...absent, lead, ...quotable.slice(0, MAX_QUOTES).map((passage) => quote(question, passage))];
  }
  if (retrieval === 'off') return [notice, 'The documents were not searched. Ask a question about them.'];
  if (retrieval === 'degraded') return [notice, 'The documents could not be searched just now.'];
  if (passages.length === 0) return [notice, ...absent, 'Nothing in the documents matches this question.'];
  const places = passages.map((passage) => `- ${passage.source}, page ${passage.page} [${passage.n}]`);
  return [notice, ...absent, 'These places match, but the knowledge agent sent no text to quote:', places.join('\n')];
}

function quote(question: string, passage: CitedPassage): string {
  const place = passage.pageKind === 'page' ? `page ${passage.page}` : (passage.heading ?? `section ${passage.page}`);
  const lines = bestExcerpt(passage.text ?? '', question).split('\n');
  return `**${passage.source}, ${place}** [${passage.n}]\n\n${lines.map((line) => `> ${line}`.trimEnd()).join('\n')}`;
}

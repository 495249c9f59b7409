import type { OptionName } from '../core/chat';
import type { RunEvent } from '../core/run';
import { RagFacts, type WireRag } from './rag-facts';

/** The wire names of options, for telling which had no effect. */
const WIRE_NAMES: Record<OptionName, string> = {
  maxTokens: 'max_completion_tokens',
  temperature: 'temperature',
  topP: 'top_p',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
  seed: 'seed',
  stop: 'stop',
  reasoningEffort: 'reasoning_effort',
  responseFormat: 'response_format',
  tools: 'tools',
  toolChoice: 'tool_choice',
  parallelToolCalls: 'parallel_tool_calls',
  topLogprobs: 'logprobs',
};

/** Collects from the events what the response headers say: how the search went, and what was ignored. */
export class HeaderFacts {
  private readonly rag = new RagFacts();
  private searched = false;
  private readonly ignored: string[];

  /** `ignored` are the body's fields that Ivy itself does not know. */
  constructor(ignored: readonly string[]) {
    this.ignored = [...ignored];
  }

  see(events: readonly RunEvent[]): void {
    for (const event of events) {
      this.rag.see(event);
      if (event.type === 'retrieval') this.searched = true;
      if (event.type === 'step' && event.step === 'model') {
        this.ignored.push(...event.ignored.map((name) => WIRE_NAMES[name]));
      }
    }
  }

  /** What is known by now. */
  toHeaders(): Headers {
    const headers = new Headers();
    const rag = this.rag.toWire();
    if (this.searched) headers.set('x-ivy-rag', toRagHeader(rag));
    if (rag.cited !== undefined) headers.set('x-ivy-cited', String(rag.cited));
    if (rag.left_out)
      headers.set('x-ivy-left-out', `passages=${rag.left_out.passages}, messages=${rag.left_out.messages}`);
    if (this.ignored.length > 0) headers.set('x-ivy-ignored-params', withoutBreaks(this.ignored.join(', ')));
    return headers;
  }
}

/** `ok`, and what is missing as a parameter (RFC 8941); what is not ASCII is percent-encoded. */
function toRagHeader({ state, missing, weak }: WireRag): string {
  const names = [...(missing?.identifiers ?? []), ...(missing?.words ?? [])];
  const listed = names.map((name) => encodeURIComponent(name).replaceAll('%20', ' ')).join(', ');
  return [state, names.length > 0 && `missing="${listed.slice(0, 500)}"`, weak && names.length > 0 && 'weak']
    .filter(Boolean)
    .join('; ');
}

/** Field names come from the client: no line break or other character that a header cannot hold gets through. */
function withoutBreaks(value: string): string {
  return value.replace(/[^\x20-\x7e]/g, '?').slice(0, 1000);
}

import type { OptionName } from '../core/chat';
import type { RetrievalState } from '../core/knowledge';
import type { RunEvent } from '../core/run';

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
  private state: RetrievalState | undefined;
  private readonly ignored: string[];

  /** `ignored` are the body's fields that Ivy itself does not know. */
  constructor(ignored: readonly string[]) {
    this.ignored = [...ignored];
  }

  see(events: readonly RunEvent[]): void {
    for (const event of events) {
      if (event.type === 'retrieval') this.state = event.state;
      if (event.type === 'step' && event.step === 'model') {
        this.ignored.push(...event.ignored.map((name) => WIRE_NAMES[name]));
      }
    }
  }

  /** What is known by now. */
  toHeaders(): Headers {
    const headers = new Headers();
    if (this.state) headers.set('x-ivy-rag', this.state);
    if (this.ignored.length > 0) headers.set('x-ivy-ignored-params', withoutBreaks(this.ignored.join(', ')));
    return headers;
  }
}

/** Field names come from the client: no line break or other character that a header cannot hold gets through. */
function withoutBreaks(value: string): string {
  return value.replace(/[^\x20-\x7e]/g, '?').slice(0, 1000);
}

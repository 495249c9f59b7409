import type { ChatProvider, ModelInfo, Usage } from '../core/chat';

/** A question to a model beside the answer: short, without passages, and the same each time. */
export interface BriefQuestion {
  instruction: string;
  text: string;
  maxTokens: number;
}

/**
 * What a model answers to a short question. `spent` is told what it took, also when the call fails after the model
 * reported it.
 */
export async function askBriefly(
  { provider, model }: { provider: ChatProvider; model: ModelInfo },
  { instruction, text, maxTokens }: BriefQuestion,
  spent: (usage: Usage) => void,
  signal: AbortSignal,
): Promise<string> {
  let answer = '';
  let usage: Usage | undefined;
  const stream = provider.stream(
    {
      model: model.id,
      messages: [
        { role: 'system', text: instruction },
        { role: 'user', content: [{ type: 'text', text }] },
      ],
      passages: [],
      retrieval: 'off',
      options: { maxTokens, temperature: 0, reasoningEffort: 'none' },
    },
    signal,
  );
  try {
    for await (const events of stream) {
      for (const event of events) {
        if (event.type === 'text-delta') answer += event.text;
        else if (event.type === 'usage') usage = event.usage;
      }
    }
  } finally {
    if (usage) spent(usage);
  }
  return answer;
}

import type { z } from 'zod';
import type { GenerationOptions } from '../core/chat';
import type { samplingFields } from './schema';

type Sampling = { [K in keyof typeof samplingFields]: z.output<(typeof samplingFields)[K]> };

export function toSampling(input: Sampling): GenerationOptions {
  return {
    temperature: input.temperature,
    topP: input.top_p,
    frequencyPenalty: input.frequency_penalty,
    presencePenalty: input.presence_penalty,
    seed: input.seed,
    stop: typeof input.stop === 'string' ? [input.stop] : input.stop,
  };
}

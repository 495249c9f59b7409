import type { Usage } from './chat';

/** The calls of models that one run makes. */
export type ModelCallName = 'answer' | 'rewrite' | 'second-look';

/** Adds up what the model calls of one run took; each call's counts are cumulative, so its last report counts. */
export class UsageTally {
  private readonly calls = new Map<ModelCallName, Usage>();

  see(usage: Usage, call: ModelCallName = 'answer'): void {
    this.calls.set(call, usage);
  }

  /** Undefined while no call has reported. */
  get total(): Usage | undefined {
    return this.of([...this.calls.keys()]);
  }

  /** What these calls took; undefined when none of them has reported. */
  of(names: readonly ModelCallName[]): Usage | undefined {
    const reported = names.map((name) => this.calls.get(name)).filter((usage) => usage !== undefined);
    if (reported.length === 0) return undefined;
    return reported.reduce(addUsage);
  }
}

/** What two calls took together. */
export function addUsage(a: Usage, b: Usage): Usage {
  const sum: Usage = {
    promptTokens: a.promptTokens + b.promptTokens,
    completionTokens: a.completionTokens + b.completionTokens,
  };
  for (const name of ['cachedTokens', 'cacheWriteTokens', 'reasoningTokens'] as const) {
    const count = a[name] === undefined ? b[name] : a[name] + (b[name] ?? 0);
    if (count !== undefined) sum[name] = count;
  }
  return sum;
}

import type { z } from 'zod';
import { AppError } from '../core/errors';
import type { RagOptions } from '../core/run';
import type { ragSchema } from './schema';

type RagBody = z.output<typeof ragSchema>;

/** Retrieval options of the body; a header stands in for an absent one. */
export function fromRag(rag: RagBody | undefined, headers: Headers): RagOptions {
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
    query: rag?.query ?? undefined,
    topK: topK === undefined ? undefined : Math.floor(topK),
    minScore: rag?.min_score ?? number('x-ivy-min-score', 0, 1),
    collections: rag?.collections ?? names,
  };
}

import { z } from 'zod';
import type { EmbeddingRequest, EmbeddingResult } from '../core/embedding';
import { AppError } from '../core/errors';
import { toRequestError } from './request-errors';

const MAX_INPUTS = 2048;

const schema = z.looseObject({
  model: z.string().min(1),
  input: z.unknown(),
  encoding_format: z.enum(['float', 'base64']).nullish(),
  dimensions: z.number().int().min(1).max(65_536).nullish(),
});

export interface EmbeddingsCall {
  request: EmbeddingRequest;
  /** openai-node asks for base64 unless it is told otherwise. */
  encoding: 'float' | 'base64';
}

/** Decodes the body of `POST /v1/embeddings`; throws 400 naming the field that is wrong. */
export function fromEmbeddings(body: unknown): EmbeddingsCall {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw toRequestError(parsed.error);
  const { model, input, encoding_format, dimensions } = parsed.data;
  return {
    request: { model, inputs: fromInput(input), dimensions: dimensions ?? undefined },
    encoding: encoding_format ?? 'float',
  };
}

function fromInput(input: unknown): string[] {
  const inputs = typeof input === 'string' ? [input] : input;
  const fail = (message: string) => new AppError('invalid_request', `input: ${message}`, { param: 'input' });
  if (!Array.isArray(inputs) || inputs.length === 0) throw fail('must be a text or a list of texts');
  if (inputs.length > MAX_INPUTS) throw fail(`at most ${MAX_INPUTS} texts at once`);
  if (!inputs.every((text): text is string => typeof text === 'string')) {
    throw fail('must be text; lists of tokens depend on a tokeniser that Ivy does not know');
  }
  if (inputs.some((text) => text === '')) throw fail('must not be empty');
  return inputs;
}

export function toEmbeddings(result: EmbeddingResult, model: string, encoding: EmbeddingsCall['encoding']) {
  return {
    object: 'list' as const,
    data: result.vectors.map((vector, index) => ({
      object: 'embedding' as const,
      index,
      embedding: encoding === 'base64' ? toBase64(vector) : vector,
    })),
    model,
    usage: { prompt_tokens: result.promptTokens, total_tokens: result.promptTokens },
  };
}

/** 32-bit floats, little-endian. */
function toBase64(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4);
  return bytes.toString('base64');
}

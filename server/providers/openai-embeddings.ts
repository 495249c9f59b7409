import { z } from 'zod';
import type { EmbeddingProvider, EmbeddingRequest, EmbeddingResult } from '../core/embedding';
import { AppError } from '../core/errors';
import { openRequest, readCapped } from '../net/http';

const SERVICE = 'The embedding service';
const TOTAL_MS = 60_000;
const MAX_BYTES = 64 * 1024 * 1024;

/** The part of `POST /v1/embeddings` that matters; some servers leave out the usage. */
const responseSchema = z.object({
  data: z.array(z.object({ index: z.number().nullish(), embedding: z.array(z.number()) })),
  usage: z.object({ prompt_tokens: z.number().nullish() }).nullish(),
});

/** Any service that speaks OpenAI's `/v1/embeddings`: vLLM, llama.cpp, text-embeddings-inference, a gateway. */
export class OpenAiEmbeddings implements EmbeddingProvider {
  /** `baseUrl` includes the version: `http://localhost:8080/v1`. */
  constructor(private readonly options: { baseUrl: string; apiKey: string | undefined }) {}

  async embed({ model, inputs, dimensions }: EmbeddingRequest, signal: AbortSignal): Promise<EmbeddingResult> {
    const response = await openRequest(
      {
        service: SERVICE,
        url: `${this.options.baseUrl}/embeddings`,
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json',
          ...(this.options.apiKey && { authorization: `Bearer ${this.options.apiKey}` }),
        },
        body: JSON.stringify({ model, input: inputs, encoding_format: 'float', ...(dimensions && { dimensions }) }),
        firstByteMs: TOTAL_MS,
        idleMs: TOTAL_MS,
      },
      signal,
    );
    const text = await readCapped(response, MAX_BYTES, SERVICE);
    if (response.statusCode === 401 || response.statusCode === 403) {
      throw new AppError('provider_auth', `${SERVICE} refused the key. Check EMBEDDING_API_KEY.`);
    }
    if ([400, 413, 422].includes(response.statusCode)) {
      throw new AppError('unprocessable', `${SERVICE} refused the text (HTTP ${response.statusCode}).`);
    }
    if (response.statusCode >= 300) {
      throw new AppError('upstream_error', `${SERVICE} answered with HTTP ${response.statusCode}.`);
    }
    return toResult(text, inputs.length);
  }
}

function toResult(text: string, wanted: number): EmbeddingResult {
  const parsed = responseSchema.safeParse(parseJson(text));
  if (!parsed.success || parsed.data.data.length !== wanted) {
    throw new AppError('upstream_error', `${SERVICE} sent an answer Ivy cannot read.`, { cause: parsed.error });
  }
  const { data, usage } = parsed.data;
  // Order is by index where the service names it.
  const vectors = data.toSorted((a, b) => (a.index ?? 0) - (b.index ?? 0)).map(({ embedding }) => embedding);
  return { vectors, promptTokens: usage?.prompt_tokens ?? 0 };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

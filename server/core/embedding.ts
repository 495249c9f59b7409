/** Texts as vectors. */

export interface EmbeddingRequest {
  /** The provider's own model id. */
  model: string;
  inputs: readonly string[];
  /** Wanted length of the vectors; only some models can shorten them. */
  dimensions?: number;
}

export interface EmbeddingResult {
  /** One per input, in its order. */
  vectors: readonly (readonly number[])[];
  promptTokens: number;
}

export interface EmbeddingProvider {
  embed(request: EmbeddingRequest, signal: AbortSignal): Promise<EmbeddingResult>;
}

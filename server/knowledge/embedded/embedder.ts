import type { EmbeddingProvider } from '../../core/embedding';
import { AppError } from '../../core/errors';
import { log } from '../../lib/log';
import type { StoredPassage } from './passage-store';

/** Makes the vectors of one model. */
export interface Embedder {
  /** Name of its vector space: the same name means that vectors can be compared. Letters, digits, `_`, `-`. */
  readonly space: string;
  /** What people call it. */
  readonly label: string;
  /** How many passages it takes at once. */
  readonly batch: number;
  /** One for each passage; undefined where the model has nothing to say. */
  passages(passages: readonly StoredPassage[], signal: AbortSignal): Promise<readonly (Float32Array | undefined)[]>;
  query(text: string, signal: AbortSignal): Promise<Float32Array | undefined>;
}

const MODEL_BATCH = 32;
/** Longer texts are cut: embedding models read a few hundred tokens. */
const MAX_CHARS = 6_000;
/** What is refused at this length is not refused for its length. */
const MIN_CHARS = 200;

/** Some models expect to be told what a text is (their model cards). */
const PREFIXES: readonly { model: RegExp; query: string; passage: string }[] = [
  { model: /nomic-embed/i, query: 'search_query: ', passage: 'search_document: ' },
  { model: /(^|\/|-)e5-/i, query: 'query: ', passage: 'passage: ' },
  { model: /mxbai-embed/i, query: 'Represent this sentence for searching relevant passages: ', passage: '' },
];

/** An embedding model behind a provider. `space` must tell models and addresses apart. */
export function createModelEmbedder(provider: EmbeddingProvider, model: string, space: string): Embedder {
  const prefix = PREFIXES.find((entry) => entry.model.test(model)) ?? { query: '', passage: '' };
  const embed = async (inputs: readonly string[], signal: AbortSignal) => {
    const { vectors } = await provider.embed({ model, inputs }, signal);
    return vectors.map(toUnit);
  };
  return {
    space,
    label: model,
    batch: MODEL_BATCH,
    passages: async (passages, signal) => {
      const inputs = passages.map(({ heading, title, text }) => {
        const names = [title, heading].filter((part) => part && !text.includes(part)).join('\n');
        return `${prefix.passage}${names}\n${text}`.slice(0, MAX_CHARS);
      });
      let refusal: unknown;
      try {
        return await embed(inputs, signal);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        refusal = error;
      }
      // One input that is too long for the model must not keep all others from their vectors.
      const vectors: (Float32Array | undefined)[] = [];
      for (const [index, input] of inputs.entries()) {
        const vector = await embedCut(input);
        if (!vector) log.warn({ passage: passages[index]?.id, model }, 'the embedding model refuses this passage');
        vectors.push(vector);
      }
      // A service that refuses everything is not refusing texts.
      if (inputs.length > 1 && vectors.every((vector) => vector === undefined)) throw refusal;
      return vectors;

      async function embedCut(input: string): Promise<Float32Array | undefined> {
        try {
          return (await embed([input], signal))[0];
        } catch (error) {
          if (!isRefusal(error)) throw error;
          return input.length < MIN_CHARS ? undefined : embedCut(input.slice(0, input.length / 2));
        }
      }
    },
    query: async (text, signal) => (await embed([(prefix.query + text).slice(0, MAX_CHARS)], signal))[0],
  };
}

const isRefusal = (error: unknown) => error instanceof AppError && error.code === 'unprocessable';

/** Of length 1. Undefined for what is no vector: all zero, or not finite. */
function toUnit(vector: readonly number[]): Float32Array | undefined {
  const length = Math.hypot(...vector);
  return Number.isFinite(length) && length > 0 ? Float32Array.from(vector, (value) => value / length) : undefined;
}

/**
 * Latent semantic vectors (Deerwester et al. 1990), learnt from the user's own passages: no model has to
 * be installed, and words that stand in the same passages end up near each other.
 */
export interface LatentModel {
  dimensions: number;
  /** Term → its row. */
  rows: ReadonlyMap<string, number>;
  /** Inverse document frequency of each row. */
  idf: Float32Array;
  /** `dimensions` numbers a row: an orthonormal basis of the strongest directions. */
  basis: Float32Array;
}

/** A multiple of 16, as the vector index likes it; 96 to 192 are about equally good on CISI. */
const MAX_DIMENSIONS = 144;
/** Terms with a vector; the most frequent ones first. */
const MAX_TERMS = 40_000;
const ITERATIONS = 8;

/**
 * With fewer passages, what they have in common is chance: feedback and latent vectors then find less than
 * words alone (docs/decisions/0010).
 */
export const MIN_PASSAGES_TO_LEARN = 1_000;

/** Directions worth learning from a number of passages; 0 for too few. */
export function dimensionsFor(passages: number): number {
  return passages < MIN_PASSAGES_TO_LEARN ? 0 : Math.min(MAX_DIMENSIONS, Math.floor(passages / 128) * 16);
}

/** Weights of a text's terms: (1 + ln tf) · idf, of length 1. Terms that the model does not know are left out. */
function weigh(model: Pick<LatentModel, 'rows' | 'idf'>, terms: readonly string[]): [row: number, weight: number][] {
  const counts = new Map<number, number>();
  for (const term of terms) {
    const row = model.rows.get(term);
    if (row !== undefined) counts.set(row, (counts.get(row) ?? 0) + 1);
  }
  const weights = [...counts].map(([row, count]): [number, number] => [
    row,
    (1 + Math.log(count)) * (model.idf[row] ?? 0),
  ]);
  const length = Math.hypot(...weights.map(([, weight]) => weight)) || 1;
  return weights.map(([row, weight]) => [row, weight / length]);
}

/** The vector of a text, of length 1; undefined when the model knows none of its terms. */
export function embedTerms(model: LatentModel, terms: readonly string[]): Float32Array | undefined {
  const { dimensions, basis } = model;
  const vector = new Float32Array(dimensions);
  for (const [row, weight] of weigh(model, terms)) addScaled(vector, 0, basis, row * dimensions, weight, dimensions);
  return toUnit(vector);
}

/** Share of the question itself when examples join it. */
const ORIGINAL_WEIGHT = 0.5;

/**
 * The vector of a question, moved towards the middle of passages that its words found (Rocchio 1971): a
 * question alone is short, and its place in the space uncertain.
 */
export function embedQuestion(
  model: LatentModel,
  terms: readonly string[],
  examples: readonly (readonly string[])[],
): Float32Array | undefined {
  const question = embedTerms(model, terms);
  const vectors = examples.flatMap((example) => embedTerms(model, example) ?? []);
  if (!question || vectors.length === 0) return question;
  const middle = new Float32Array(model.dimensions);
  for (const vector of vectors) addScaled(middle, 0, vector, 0, 1, model.dimensions);
  const direction = toUnit(middle);
  if (!direction) return question;
  return toUnit(question.map((value, index) => ORIGINAL_WEIGHT * value + (1 - ORIGINAL_WEIGHT) * at(direction, index)));
}

function toUnit(vector: Float32Array): Float32Array | undefined {
  const length = Math.hypot(...vector);
  return length > 1e-6 ? vector.map((value) => value / length) : undefined;
}

const at = (numbers: Float32Array, index: number): number => numbers[index] as number;

/**
 * Learns a model by subspace iteration on the weighted term × passage matrix: `ITERATIONS` times, the
 * basis is multiplied by the matrix and its transpose and made orthonormal again. Only the spanned space
 * matters for cosines, so the singular vectors themselves are never computed. The same passages give
 * the same model.
 */
export function learn(passages: readonly (readonly string[])[], dimensions: number): LatentModel {
  const model = vocabulary(passages);
  const terms = model.idf.length;
  const matrix = passages.map((passage) => weigh(model, passage));
  const random = randomNumbers();
  let basis = new Float32Array(terms * dimensions).map(random);
  const image = new Float32Array(dimensions);
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const next = new Float32Array(terms * dimensions);
    for (const passage of matrix) {
      image.fill(0);
      for (const [row, weight] of passage) addScaled(image, 0, basis, row * dimensions, weight, dimensions);
      for (const [row, weight] of passage) addScaled(next, row * dimensions, image, 0, weight, dimensions);
    }
    orthonormalize(next, dimensions);
    basis = next;
  }
  return { ...model, dimensions, basis };
}

/** Terms of at least two passages with their idf. */
function vocabulary(passages: readonly (readonly string[])[]): Pick<LatentModel, 'rows' | 'idf'> {
  const counts = new Map<string, number>();
  for (const passage of passages) for (const term of new Set(passage)) counts.set(term, (counts.get(term) ?? 0) + 1);
  const kept = [...counts]
    .filter(([, count]) => count > 1)
    .sort((a, b) => b[1] - a[1])
    .slice(0, MAX_TERMS);
  const idf = kept.map(([, count]) => Math.log(1 + (passages.length - count + 0.5) / (count + 0.5)));
  return { rows: new Map(kept.map(([term], row) => [term, row])), idf: Float32Array.from(idf) };
}

function addScaled(
  target: Float32Array,
  to: number,
  source: Float32Array,
  from: number,
  factor: number,
  length: number,
): void {
  for (let index = 0; index < length; index++) {
    target[to + index] = (target[to + index] as number) + factor * (source[from + index] as number);
  }
}

/** Makes the columns of a row-major matrix orthonormal (Gram-Schmidt, twice, which is enough: Kahan). */
function orthonormalize(matrix: Float32Array, columns: number): void {
  const rows = matrix.length / columns;
  // Column by column in memory, or every step would jump through the whole matrix.
  const vectors = Array.from({ length: columns }, (_, column) => {
    const vector = new Float32Array(rows);
    for (let row = 0; row < rows; row++) vector[row] = matrix[row * columns + column] as number;
    return vector;
  });
  vectors.forEach((vector, column) => {
    for (let pass = 0; pass < 2; pass++) {
      for (let earlier = 0; earlier < column; earlier++) {
        const other = vectors[earlier] as Float32Array;
        addScaled(vector, 0, other, 0, -dot(vector, other), rows);
      }
    }
    const length = Math.sqrt(dot(vector, vector)) || 1;
    for (let row = 0; row < rows; row++) matrix[row * columns + column] = (vector[row] as number) / length;
    vectors[column] = vector.map((value) => value / length);
  });
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += (a[index] as number) * (b[index] as number);
  return sum;
}

/** Even numbers between -0.5 and 0.5, the same at every start (mulberry32). */
function randomNumbers(): () => number {
  let state = 1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32 - 0.5;
  };
}

/** One file: a line of JSON (dimensions and terms), then idf and basis as little-endian floats. */
export function toBytes(model: LatentModel): Uint8Array {
  const head = Buffer.from(`${JSON.stringify({ dimensions: model.dimensions, terms: [...model.rows.keys()] })}\n`);
  return Buffer.concat([head, Buffer.from(model.idf.buffer), Buffer.from(model.basis.buffer)]);
}

/** Throws when the file is not whole. */
export function fromBytes(bytes: Buffer): LatentModel {
  const end = bytes.indexOf('\n');
  const { dimensions, terms } = JSON.parse(bytes.toString('utf8', 0, end)) as { dimensions: number; terms: string[] };
  const size = 4 * terms.length * (dimensions + 1);
  if (bytes.length !== end + 1 + size) throw new Error('the file of the latent model is not whole');
  // Copied, because a Float32Array must begin at a multiple of four.
  const numbers = new Float32Array(Uint8Array.from(bytes.subarray(end + 1)).buffer);
  return {
    dimensions,
    rows: new Map(terms.map((term, row) => [term, row])),
    idf: numbers.subarray(0, terms.length),
    basis: numbers.subarray(terms.length),
  };
}

import { AppError } from '../core/errors';
import type { Evaluation, GoldenQuestion, JudgedQuestion, Quality } from '../core/evaluation';
import type { Retriever, Stage } from '../core/knowledge';
import { csvRows } from '../text/csv';

/** Places looked at. */
const DEPTH = 10;
const MAX_QUESTIONS = 500;
const MAX_QUESTION_CHARS = 1_000;

/**
 * Golden questions from CSV: question, document and, where it matters, page. A first row that names the columns
 * is skipped. Throws `invalid_request` naming the row that is wrong.
 */
export function toGoldenSet(text: string): GoldenQuestion[] {
  const rows = csvRows(text).map((row) => row.map((cell) => cell.trim()));
  const questions = rows.flatMap((row, index): GoldenQuestion[] => {
    const [question = '', source = '', page = ''] = row;
    if (row.every((cell) => cell === '') || (index === 0 && /^questions?$/i.test(question))) return [];
    const wrong = (what: string) => new AppError('invalid_request', `Row ${index + 1} ${what}.`);
    if (question === '' || source === '') throw wrong('needs a question and the name of its document');
    if (question.length > MAX_QUESTION_CHARS) throw wrong(`has a question of over ${MAX_QUESTION_CHARS} characters`);
    if (page !== '' && !/^[1-9]\d{0,5}$/.test(page))
      throw wrong(`has the page “${page.slice(0, 20)}”, which is no number`);
    return [{ question, source, page: page === '' ? undefined : Number(page) }];
  });
  if (questions.length > MAX_QUESTIONS) {
    throw new AppError(
      'invalid_request',
      `These are ${questions.length} questions; at most ${MAX_QUESTIONS} are possible.`,
    );
  }
  return questions;
}

/** Asks every question as an answer would, and looks where the right page came. */
export async function evaluate(
  questions: readonly GoldenQuestion[],
  search: { retriever: Retriever; stages: boolean; configuration: string },
  signal: AbortSignal,
): Promise<Evaluation> {
  const judged: JudgedQuestion[] = [];
  for (const golden of questions) {
    const all = await find(golden, search.retriever, undefined, signal);
    const words = search.stages ? await find(golden, search.retriever, ['keyword'], signal) : undefined;
    judged.push({ ...golden, place: all.place, wordsPlace: words?.place, first: all.first });
  }
  return {
    at: Date.now(),
    configuration: search.configuration,
    questions: judged,
    all: qualityOf(judged.map(({ place }) => place)),
    words: search.stages ? qualityOf(judged.map(({ wordsPlace }) => wordsPlace ?? null)) : undefined,
  };
}

async function find(
  { question, source, page }: GoldenQuestion,
  retriever: Retriever,
  stages: readonly Stage[] | undefined,
  signal: AbortSignal,
) {
  const query = { text: question, limit: DEPTH, minScore: 0, collections: undefined, ...(stages && { stages }) };
  const { state, reason, passages } = await retriever.retrieve(query, signal);
  // What is measured must be the search as it should be, not a part of it.
  if (state === 'degraded') throw new AppError('retrieval_unavailable', `The search is not complete: ${reason}`);
  const at = passages.findIndex((found) => found.source === source && (page === undefined || found.page === page));
  const [first] = passages;
  return {
    place: at < 0 ? null : at + 1,
    first: first ? { source: first.source, page: first.page, score: first.score } : null,
  };
}

function qualityOf(places: readonly (number | null)[]): Quality {
  const mean = (value: (place: number | null) => number) =>
    places.reduce((sum: number, place) => sum + value(place), 0) / Math.max(1, places.length);
  return {
    first: mean((place) => (place === 1 ? 1 : 0)),
    firstFive: mean((place) => (place !== null && place <= 5 ? 1 : 0)),
    reciprocalRank: mean((place) => (place === null ? 0 : 1 / place)),
  };
}

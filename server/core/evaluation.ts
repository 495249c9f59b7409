/** The vocabulary of evaluating retrieval on questions whose answer is known. */

/** A question and where its answer stands. */
export interface GoldenQuestion {
  question: string;
  /** File name of the document. */
  source: string;
  /** Undefined when any page of the document will do. */
  page: number | undefined;
}

/** How a question fared. */
export interface JudgedQuestion extends GoldenQuestion {
  /** Place of the right page among the first ten, from 1; null when it is not there. */
  place: number | null;
  /** The same when words alone are searched; undefined where the search has no stages to choose from. */
  wordsPlace: number | null | undefined;
  /** What was found first. */
  first: { source: string; page: number; score: number } | null;
}

/** Shares of all questions, 0..1. */
export interface Quality {
  first: number;
  firstFive: number;
  /** Mean of 1 / place, 0 where the right page is not among the first ten. */
  reciprocalRank: number;
}

export interface Evaluation {
  at: number;
  /** The same settings of models and search have the same name. */
  configuration: string;
  questions: readonly JudgedQuestion[];
  all: Quality;
  words: Quality | undefined;
}

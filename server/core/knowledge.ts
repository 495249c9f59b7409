/** The vocabulary of retrieval: documents are uploaded wholes, passages the units that are found and cited. */

/** Stages that find and order passages. */
export const STAGES = ['keyword', 'vector', 'fused', 'rerank'] as const;
export type Stage = (typeof STAGES)[number];

/** A value of each stage that saw a passage; a stage that did not has no key. */
export type StageScores = Partial<Record<Stage, number>>;

/** A place on a page: left, bottom, right and top in points from the lower left corner of the page as shown. */
export type Box = [left: number, bottom: number, right: number, top: number];

export interface Passage {
  /** Unique within its store. */
  id: string;
  /** The document it belongs to, when the store is ours; a foreign agent does not tell. */
  documentId?: string;
  /** File name as shown to people. */
  source: string;
  title?: string;
  /** Shown as it is. Ours counts from 1; `section` for formats without pages. */
  page: number;
  pageKind: 'page' | 'section';
  heading?: string;
  /** Undefined when the agent sent none: then it is cited but never invented. */
  text?: string;
  /** Relevance, 0..1 for our own store; as sent for a foreign agent. */
  score: number;
  scores: StageScores;
  /** Place in the list of each stage, from 1. */
  ranks?: StageScores;
  url?: string;
  /** Of its document, when the store tells. */
  collection?: string;
  /** Where it stands on its page, for formats that tell. */
  boxes?: readonly Box[];
}

/** A passage as it was considered, without its words. */
export type Candidate = Omit<Passage, 'text' | 'url' | 'boxes'>;

/** A passage with the number it is cited by in one answer. */
export interface CitedPassage extends Passage {
  n: number;
}

export interface RetrievalQuery {
  text: string;
  limit: number;
  /** Passages scoring below are dropped; undefined applies no threshold. */
  minScore: number | undefined;
  collections: readonly string[] | undefined;
  /** True to leave out passages that repeat a better one. */
  withoutCopies?: boolean;
  /** Searches that take part; all when undefined. For evaluation: what does each of them contribute? */
  stages?: readonly Stage[];
}

export type RetrievalState = 'ok' | 'empty' | 'degraded' | 'off';

/** What a question names that stands in none of the documents that were searched. */
export interface Missing {
  /** Identifiers and clause numbers, as they were written. */
  identifiers: readonly string[];
  words: readonly string[];
}

export interface Retrieval {
  state: Exclude<RetrievalState, 'off'>;
  /** Why, in words for people, when the state is not `ok`. */
  reason: string | undefined;
  passages: readonly Passage[];
  /** Undefined when nothing is missing, or it is not known. */
  missing?: Missing;
  /** True when even the best passage shares little with the question: a warning, not a verdict. */
  weak?: boolean;
  /** All that was scored before threshold and limit, best first. */
  candidates: readonly Candidate[];
  /** Milliseconds of each stage; some run side by side. */
  timings: Readonly<Record<string, number>>;
  durationMs: number;
}

export interface Retriever {
  retrieve(query: RetrievalQuery, signal: AbortSignal): Promise<Retrieval>;
}

export type DocumentStatus = 'queued' | 'parsing' | 'indexing' | 'ready' | 'failed';

export interface DocumentInfo {
  id: string;
  source: string;
  title: string | null;
  collection: string;
  status: DocumentStatus;
  /** Why it failed, in words for people. */
  error: string | null;
  /** What the reader should know about a document that is ready, such as pages without a text layer. */
  notice: string | null;
  pages: number | null;
  pageKind: 'page' | 'section';
  passages: number | null;
  bytes: number;
  mediaType: string;
  revision: number;
  sample: boolean;
  createdAt: number;
  updatedAt: number;
}

/** One page (or section) of a document as text, with the passages cut from it. */
export interface PageView {
  document: DocumentInfo;
  page: number;
  heading: string | null;
  text: string;
  /** The passage that was asked for, as a range of the text in UTF-16 units, the end exclusive. */
  passage?: { start: number; end: number; boxes: readonly Box[] };
}

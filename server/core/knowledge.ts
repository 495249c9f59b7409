/** The vocabulary of retrieval: documents are uploaded wholes, passages the units that are found and cited. */

/** Scores of the stages that produced a passage; a stage that did not run has no key. */
export interface StageScores {
  keyword?: number;
  vector?: number;
  fused?: number;
  rerank?: number;
}

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
  url?: string;
}

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
}

export type RetrievalState = 'ok' | 'empty' | 'degraded' | 'off';

export interface Retrieval {
  state: Exclude<RetrievalState, 'off'>;
  /** Why, in words for people, when the state is not `ok`. */
  reason: string | undefined;
  passages: readonly Passage[];
  /** How many candidates were scored before threshold and limit. */
  candidates: number;
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
}

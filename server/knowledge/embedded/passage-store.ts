import type { PassageDraft } from './split';
import type { WeightedTerms } from './terms';

/** The document that passages belong to. */
export interface StoredDocument {
  id: string;
  collection: string;
  source: string;
  title: string | null;
  pageKind: 'page' | 'section';
}

/** A passage as the store holds it, with all that a result shows. */
export interface StoredPassage extends PassageDraft {
  id: string;
  /** Place among the passages of its document, from 1. */
  position: number;
  documentId: string;
  collection: string;
  source: string;
  title: string | null;
  pageKind: 'page' | 'section';
}

export interface Hit {
  id: string;
  documentId: string;
  /** BM25 of a search for terms, cosine of one for vectors. */
  score: number;
}

export interface TermHits {
  /** Best first. */
  hits: readonly Hit[];
  /** What a passage would score that is the best one for every term. */
  best: number;
  /** Passages searched. */
  size: number;
}

/** Which terms stand in some passages. */
export interface StandingTerms {
  /** How many passages have a term, or 1 where a store only tells that there are some. What none has is left out. */
  counts: ReadonlyMap<string, number>;
  /** Of the prefixes asked for, those that some word begins with; none where a store cannot tell. */
  prefixes: readonly string[];
  /** Passages looked at. */
  size: number;
}

/** Where to search. */
export interface Scope {
  limit: number;
  /** All collections when undefined, none when empty. */
  collections: readonly string[] | undefined;
}

/** Vectors of one embedding model; models never share a space. */
export interface VectorSpace {
  name: string;
  dimensions: number;
}

/** What is put at once of one document. */
export interface DocumentPassages {
  document: StoredDocument;
  passages: readonly PassageDraft[];
}

export interface PassageVector {
  id: string;
  documentId: string;
  collection: string;
  vector: Float32Array;
}

/**
 * Passages and their vectors, searchable both ways; the fusion stays outside. An embedded engine and Qdrant
 * implement it. Everything in it is derived from documents and can be built again.
 */
export interface PassageStore {
  /** Called when a store that keeps its passages elsewhere finds that they are gone. */
  onLost?: () => void;
  /** Replaces whatever there is of these documents, vectors too, and makes it searchable. */
  put(documents: readonly DocumentPassages[]): Promise<void>;
  /** Removes a document with its vectors, and checks that nothing is left of it. */
  remove(documentId: string): Promise<void>;
  /** Removes what changes have left behind. */
  tidy(): Promise<void>;
  /** Which of these terms stand in passages of these collections, all of them when undefined. */
  standing(
    asked: { terms: readonly string[]; prefixes: readonly string[] },
    collections: readonly string[] | undefined,
  ): Promise<StandingTerms>;
  /** By Σ weight · BM25(term, passage); statistics are over the collections of the scope. */
  searchTerms(terms: WeightedTerms, scope: Scope): Promise<TermHits>;
  /** Passages by id, in no particular order; unknown ids are left out. */
  passages(ids: readonly string[]): Promise<StoredPassage[]>;
  /** All passages of some documents, in no particular order. */
  passagesOf(documentIds: readonly string[]): Promise<StoredPassage[]>;
  /** How many passages there are of each document; fewer than it has when writing them was cut off. */
  passageCounts(): Promise<Map<string, number>>;
  count(): Promise<number>;

  /** Names of the vector spaces there are. */
  spaces(): Promise<string[]>;
  /** Adds all vectors of some documents, instead of what the space holds of them; creates the space. */
  putVectors(space: VectorSpace, vectors: readonly PassageVector[]): Promise<void>;
  /** Ids of documents whose vectors are all in a space. */
  vectorDocumentIds(space: string): Promise<string[]>;
  /** Makes searches of a large space fast; to be called after many changes. */
  tidyVectors(space: string): Promise<void>;
  /** Best first, by cosine. */
  searchVectors(space: string, vector: Float32Array, scope: Scope): Promise<Hit[]>;
  /** Some vectors of a space. */
  sampleVectors(space: string, limit: number): Promise<Float32Array[]>;
  dropSpace(space: string): Promise<void>;
  /** Removes all that is kept, for good: when another store has taken over. */
  destroy(): Promise<void>;
  close(): void;
}

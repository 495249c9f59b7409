import type { Box } from '../../core/knowledge';
import type { StoredDocument, StoredPassage } from './passage-store';
import type { PassageDraft } from './split';

/** A passage as stores keep it, with names that a foreign reader of the store would expect. */
export type PassageRow = {
  id: string;
  position: number;
  document_id: string;
  collection: string;
  source: string;
  title: string | null;
  page: number;
  page_kind: string;
  heading: string | null;
  start: number;
  end: number;
  boxes: readonly Box[];
  text: string;
  terms: string;
};

export const toPassageId = (documentId: string, position: number) => `${documentId}-${position}`;

/** The document of a passage by its id. */
export const toDocumentId = (passageId: string) => passageId.slice(0, passageId.lastIndexOf('-'));

/** `index` counts the passages of the document from 0. */
export function toRow(document: StoredDocument, passage: PassageDraft, index: number): PassageRow {
  return {
    id: toPassageId(document.id, index + 1),
    position: index + 1,
    document_id: document.id,
    collection: document.collection,
    source: document.source,
    title: document.title,
    page: passage.page,
    page_kind: document.pageKind,
    heading: passage.heading,
    start: passage.start,
    end: passage.end,
    boxes: passage.boxes,
    text: passage.text,
    terms: passage.terms,
  };
}

export function toPassage(row: PassageRow): StoredPassage {
  return {
    id: row.id,
    position: row.position,
    documentId: row.document_id,
    collection: row.collection,
    source: row.source,
    title: row.title,
    page: row.page,
    pageKind: row.page_kind === 'section' ? 'section' : 'page',
    heading: row.heading,
    start: row.start,
    end: row.end,
    boxes: row.boxes,
    text: row.text,
    terms: row.terms,
  };
}

import type { DocumentInfo, DocumentStatus, PageView } from '../../core/knowledge';

/** What the knowledge base keeps about documents; the state database implements it. */
export interface DocumentStore {
  add(document: {
    id: string;
    source: string;
    collection: string;
    bytes: number;
    mediaType: string;
    sha256: string;
    sample: boolean;
  }): Promise<{ document: DocumentInfo; created: boolean }>;
  get(id: string): Promise<DocumentInfo | undefined>;
  list(
    limit: number,
    cursor?: string,
    collections?: readonly string[],
  ): Promise<{ documents: DocumentInfo[]; next: string | null }>;
  collections(): Promise<string[]>;
  counts(): Promise<Record<DocumentStatus, number>>;
  withStatus(...statuses: (DocumentStatus | 'deleting')[]): Promise<DocumentInfo[]>;
  /** Of every document, also those that are being removed. */
  states(): Promise<{ id: string; status: DocumentStatus | 'deleting'; passages: number | null }[]>;
  takeQueued(): Promise<DocumentInfo | undefined>;
  setStatus(id: string, status: DocumentStatus | 'deleting', error?: string | null): Promise<boolean>;
  requeueInterrupted(): Promise<void>;
  putBack(id: string): Promise<number>;
  queueOutdated(reading: number): Promise<number>;
  keepAsItIs(id: string, reading: number, notice: string): Promise<void>;
  rereading(): Promise<number>;
  searchable(): Promise<{ id: string; language: string | null }[]>;
  finish(
    id: string,
    result: {
      title: string | null;
      notice: string | null;
      pageKind: 'page' | 'section';
      pages: readonly { page: number; heading: string | null; text: string }[];
      passages: number;
      language: string | null;
      reading: number;
    },
  ): Promise<readonly string[] | undefined>;
  remove(id: string): Promise<void>;
  page(id: string, page: number): Promise<PageView | undefined>;
}

import type { Box } from '../../core/knowledge';

/** Some text of a page and its place. */
export interface TextRun {
  text: string;
  box: Box;
}

/** What every parser produces: pages (or sections) of Markdown, counted from 1. */
export interface ParsedDocument {
  title: string | null;
  pageKind: 'page' | 'section';
  pages: { page: number; heading: string | null; text: string; runs?: readonly TextRun[] }[];
  /** What the reader should know, such as pages without a text layer. */
  notice: string | null;
  /** Pages of the file, when only some were read. */
  total?: number;
  /** Pages that show something but give no text. */
  gaps?: number;
}

/**
 * The version of reading and cutting documents. The number changes when passages or their search terms come out
 * otherwise: documents that were read by an older version are read again in the background.
 */
export const READING = 1;

/** Several notices as one; null when there is none. */
export const joinNotices = (...notices: (string | false | null | undefined)[]): string | null =>
  notices.filter(Boolean).join(' ') || null;

/** A document that cannot be used, with the reason in words for the person who added it. */
export class UnreadableDocument extends Error {
  override readonly name = 'UnreadableDocument';
}

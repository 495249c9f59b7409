import type { ParsedDocument } from '../parsed';
import { toSections } from './sections';

/** What stands between two lines of dashes at the very beginning. */
const FRONT_MATTER = /^---[ \t]*\r?\n([\s\S]{0,20000}?)\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|$)/;
const TITLE = /^title:[ \t]*(.+)$/im;

/** Markdown as it is; the title in its front matter is the document's. */
export function parseMarkdown(text: string): ParsedDocument {
  const front = FRONT_MATTER.exec(text);
  const title =
    front &&
    TITLE.exec(front[1] ?? '')?.[1]
      ?.trim()
      .replace(/^(["'])(.*)\1$/, '$2');
  return toSections(front ? text.slice(front[0].length) : text, { title: title?.slice(0, 200) || null });
}

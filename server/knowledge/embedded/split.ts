import { toTerms } from './analyze';
import { type Block, toBlocks } from './blocks';
import type { ParsedDocument } from './parsed';

/** A passage cut from one page, ready for the index. */
export interface PassageDraft {
  page: number;
  /** Titles of the sections around it, outermost first. */
  heading: string | null;
  text: string;
  /** Search terms of text, headings and title, separated by blanks. */
  terms: string;
}

/** About 350 tokens; the upper limit of a passage in characters. */
const MAX_CHARS = 1400;
/** A new heading starts a new passage only when the one before has at least this much. */
const MIN_CHARS = 350;

/**
 * Cuts a document into passages: never across pages, at headings and requirement ids where the
 * passage before is long enough, tables between rows with their head repeated.
 */
export function toPassages(document: ParsedDocument): PassageDraft[] {
  const passages: PassageDraft[] = [];
  const headings = new HeadingPath();
  for (const page of document.pages) {
    let current: Block[] = [];
    let heading: string | null = headings.text;
    const flush = () => {
      const text = current
        .map((block) => block.text)
        .join('\n\n')
        .trim();
      current = [];
      if (text === '') return;
      const terms = toTerms(`${document.title ?? ''} ${heading ?? ''} ${text}`).join(' ');
      passages.push({ page: page.page, heading, text, terms });
    };
    for (const block of toBlocks(page.text, MAX_CHARS)) {
      const size = current.reduce((sum, { text }) => sum + text.length, 0);
      const opens = block.kind === 'heading' || block.opensPassage;
      if (size + block.text.length > MAX_CHARS || (opens && size >= MIN_CHARS)) flush();
      if (block.kind === 'heading') headings.enter(block.level, block.title);
      if (current.every((earlier) => earlier.kind === 'heading')) heading = headings.text;
      current.push(block);
    }
    mergeShortTail(passages, current, page.page);
    flush();
  }
  return passages;
}

/** A few last words of a page go with the passage before them instead of standing alone. */
function mergeShortTail(passages: PassageDraft[], tail: Block[], page: number): void {
  const text = tail.map((block) => block.text).join('\n\n');
  const last = passages.at(-1);
  if (text.length >= 120 || !last || last.page !== page) return;
  last.text = `${last.text}\n\n${text}`.trim();
  last.terms = `${last.terms} ${toTerms(text).join(' ')}`.trim();
  tail.length = 0;
}

/** The sections that are open at one place of a document. */
class HeadingPath {
  private open: { level: number; title: string }[] = [];

  enter(level: number, title: string): void {
    this.open = [...this.open.filter((heading) => heading.level < level), { level, title }];
  }

  get text(): string | null {
    return this.open.length > 0 ? this.open.map((heading) => heading.title).join(' › ') : null;
  }
}

import type { Box } from '../../core/knowledge';
import { toTerms } from '../../lib/analyze';
import { detectLanguage, type Language } from '../../lib/language';
import { type Block, toBlocks } from './blocks';
import { findBoxes } from './boxes';
import type { ParsedDocument } from './parsed';

/** A passage cut from one page, ready for the index. */
export interface PassageDraft {
  page: number;
  /** Titles of the sections around it, outermost first. */
  heading: string | null;
  /** Where it stands in the text of its page, in UTF-16 units, the end exclusive. */
  start: number;
  end: number;
  text: string;
  /** Where it stands on the page as shown; empty for formats without places. */
  boxes: readonly Box[];
  /** Search terms of text, headings and title, separated by blanks. */
  terms: string;
}

/** About 400 tokens; the upper limit of a passage in characters. */
const MAX_CHARS = 1600;
/** A new heading starts a new passage only when the one before has at least this much. */
const MIN_CHARS = 350;
/** Blocks follow each other closely; a gap is at most a line that was not found again. */
const MAX_GAP = 400;
/** Between the titles of a heading path. */
const SEPARATOR = ' › ';

/**
 * Cuts a document into passages: never across pages, at headings and requirement ids where the
 * passage before is long enough, tables between rows with their head repeated.
 */
export function toPassages(document: ParsedDocument): PassageDraft[] {
  const passages: PassageDraft[] = [];
  const headings = new HeadingPath();
  const language = detectLanguage(document.pages.map(({ text }) => text.slice(0, 1_000)).join('\n'));
  for (const page of document.pages) {
    const first = passages.length;
    let current: Block[] = [];
    let heading: string | null = headings.text;
    const places = new Places(page.text);
    const flush = () => {
      const text = textOf(current);
      const place = places.find(current);
      current = [];
      if (text === '') return;
      passages.push({
        page: page.page,
        heading,
        ...place,
        boxes: [],
        text,
        terms: termsOf(text, [document.title, heading], language),
      });
    };
    for (const block of toBlocks(page.text, MAX_CHARS)) {
      const size = current.reduce((sum, { text }) => sum + text.length, 0);
      const opens = block.kind === 'heading' || block.opensPassage;
      if (size + block.text.length > MAX_CHARS || (opens && size >= MIN_CHARS)) flush();
      if (block.kind === 'heading') headings.enter(block.level, block.title);
      if (current.every((earlier) => earlier.kind === 'heading')) heading = headings.text;
      current.push(block);
    }
    if (!mergeShortTail(passages.at(-1), { page: page.page, blocks: current, places }, language)) flush();
    const own = passages.slice(first);
    for (const [index, boxes] of findBoxes(page.runs ?? [], own).entries()) Object.assign(own[index] ?? {}, { boxes });
  }
  return passages;
}

const textOf = (blocks: readonly Block[]) =>
  blocks
    .map((block) => block.text)
    .join('\n\n')
    .trim();

/** Title and headings take part in search, but count no more for standing in the text as well. */
function termsOf(text: string, context: readonly (string | null)[], language: Language): string {
  const titles = new Set(context.flatMap((part) => part?.split(SEPARATOR) ?? []));
  const outside = [...titles].filter((words) => !text.includes(words));
  return toTerms([...outside, text].join('\n'), language).join(' ');
}

/** A few last words of a page go with the passage before them instead of standing alone. */
function mergeShortTail(
  last: PassageDraft | undefined,
  tail: { page: number; blocks: readonly Block[]; places: Places },
  language: Language,
): boolean {
  const text = textOf(tail.blocks);
  if (text.length >= 120 || !last || last.page !== tail.page) return false;
  last.end = Math.max(last.end, tail.places.find(tail.blocks).end);
  last.text = `${last.text}\n\n${text}`.trim();
  last.terms = `${last.terms} ${toTerms(text, language).join(' ')}`.trim();
  return true;
}

/** Finds blocks again in the text of their page, going forward. */
class Places {
  private cursor = 0;

  constructor(private readonly text: string) {}

  find(blocks: readonly Block[]): { start: number; end: number } {
    const from = this.cursor;
    let start: number | undefined;
    for (const block of blocks) {
      // Pieces of a long table repeat its head, so lines are looked for, not the whole block.
      for (const line of block.text.split('\n')) {
        const at = line.trim() === '' ? -1 : this.text.indexOf(line.trim(), this.cursor);
        // A line far away is another of the same words.
        if (at < 0 || at > this.cursor + MAX_GAP) continue;
        start ??= at;
        this.cursor = at + line.trim().length;
      }
    }
    return { start: start ?? from, end: Math.max(this.cursor, start ?? from) };
  }
}

/** The sections that are open at one place of a document. */
class HeadingPath {
  private open: { level: number; title: string }[] = [];

  enter(level: number, title: string): void {
    this.open = [...this.open.filter((heading) => heading.level < level), { level, title }];
  }

  get text(): string | null {
    return this.open.length > 0 ? this.open.map((heading) => heading.title).join(SEPARATOR) : null;
  }
}

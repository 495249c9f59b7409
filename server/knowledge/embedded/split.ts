import type { Box } from '../../core/knowledge';
import { detectLanguage, type Language } from '../../text/language';
import { type Block, toBlocks } from './blocks';
import { findBoxes } from './boxes';
import type { ParsedDocument } from './parsed';
import { marksOf, toTerms } from './terms';

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
/** A numbered clause is cited by its number: a passage before it may be as short as a sentence. */
const MIN_CLAUSE_CHARS = 30;
const NUMBERED = /^(?:[A-Z]|\d{1,3})(?:\.\d{1,3})*\.?\s/;
/** Blocks follow each other closely; a gap is at most a line that was not found again. */
const MAX_GAP = 400;
/** Of a document, looked at for its language. */
const SAMPLED_PAGES = 40;
const SAMPLED_CHARS = 1_000;
/** Between the titles of a heading path. */
const SEPARATOR = ' › ';

/**
 * Cuts a document into passages: never across pages, at headings and requirement ids where the
 * passage before is long enough, tables between rows with their head repeated.
 */
export function toPassages(document: ParsedDocument, source: string): PassageDraft[] {
  const passages: PassageDraft[] = [];
  const headings = new HeadingPath();
  const language = languageOfDocument(document);
  const names = [source.replace(/\.[^./]{1,5}$/, ''), document.title ?? ''];
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
        terms: '',
      });
    };
    for (const block of toBlocks(page.text, MAX_CHARS)) {
      const size = current.reduce((sum, { text }) => sum + text.length, 0);
      const opens = block.kind === 'heading' || block.opensPassage;
      const clause = block.kind === 'heading' && NUMBERED.test(block.title);
      const prose = current.reduce((sum, { kind, text }) => sum + (kind === 'text' ? text.length : 0), 0);
      const enough = size >= MIN_CHARS || (clause && prose >= MIN_CLAUSE_CHARS);
      if (size + block.text.length > MAX_CHARS || (opens && enough)) flush();
      if (block.kind === 'heading') headings.enter(block.level, block.title);
      if (current.every((earlier) => earlier.kind === 'heading')) heading = headings.text;
      current.push(block);
    }
    if (!mergeShortTail(passages.at(-1), { page: page.page, blocks: current, places })) flush();
    const own = passages.slice(first);
    for (const [index, boxes] of findBoxes(page.runs ?? [], own).entries()) Object.assign(own[index] ?? {}, { boxes });
  }
  for (const passage of passages) {
    const { text, heading } = passage;
    passage.terms = toTerms(withTitles(text, [document.title, heading]), language, marksOf({ text, heading, names }));
  }
  return passages;
}

const textOf = (blocks: readonly Block[]) =>
  blocks
    .map((block) => block.text)
    .join('\n\n')
    .trim();

/** Title and headings take part in search, but count no more for standing in the text as well. */
function withTitles(text: string, context: readonly (string | null)[]): string {
  const titles = new Set(context.flatMap((part) => part?.split(SEPARATOR) ?? []));
  return [...[...titles].filter((words) => !text.includes(words)), text].join('\n');
}

/** A few last words of a page go with the passage before them instead of standing alone. */
function mergeShortTail(
  last: PassageDraft | undefined,
  tail: { page: number; blocks: readonly Block[]; places: Places },
): boolean {
  const text = textOf(tail.blocks);
  if (text.length >= 120 || !last || last.page !== tail.page) return false;
  last.end = Math.max(last.end, tail.places.find(tail.blocks).end);
  last.text = `${last.text}\n\n${text}`.trim();
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

/** The language of a whole document; undefined where none shows itself, as in a table of a few names. */
export function languageOfDocument({ pages, title }: ParsedDocument): Language | undefined {
  const sample = pages.slice(0, SAMPLED_PAGES).map(({ text }) => text.slice(0, SAMPLED_CHARS));
  return detectLanguage([title ?? '', ...sample].join('\n'));
}

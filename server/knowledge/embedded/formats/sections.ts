import { withoutClosing } from '../blocks';
import type { ParsedDocument } from '../parsed';
import { cleanText } from './text';

/** Where a page ends in formats that know pages only as they are printed: a form feed on a line of its own. */
export const PAGE_BREAK = '\f';
/** Least text of a section; a heading inside a shorter one does not start the next. */
const MIN_SECTION_CHARS = 600;
/** A longer section is divided further, so that a citation still names a place. */
const MAX_SECTION_CHARS = 6_000;
/** Length of the pieces when nothing in the text divides it. */
const PIECE_CHARS = 3_500;
/** Longer lines are cut at sentences when they are all there is. */
const FENCE = /^\s{0,3}(?:`{3,}|~{3,})/;
const HEADING = /^#{1,6}\s+(\S.*)$/;
/** A line of its own that looks like a heading: bold, or with a clause number. */
const LIKE_HEADING = /^(?:\*\*[^*\n]{2,100}\*\*|(?:\d{1,2}|[A-Z])(?:\.\d{1,3}){0,5}\.?\s+\p{Lu}[^\n]{2,90}[^.:;,\n])$/u;

interface Section {
  heading: string | null;
  lines: string[];
  size: number;
}

/** Formats without pages are divided at headings, so that a citation still names a place. */
export function toSections(markdown: string, options: { title?: string | null } = {}): ParsedDocument {
  const lines = toLines(markdown);
  const whole = byHeadings(lines);
  const sections = whole.flatMap(divide);
  return {
    title: options.title ?? firstHeading(lines),
    pageKind: 'section',
    pages: sections
      .map(({ heading, lines: own }) => ({
        heading,
        text: own
          .map((line) => (line === PAGE_BREAK ? '' : line))
          .join('\n')
          .trim(),
      }))
      .filter(({ text }, _index, all) => text !== '' || all.length === 1)
      .map(({ heading, text }, index) => ({ page: index + 1, heading, text })),
    notice: null,
  };
}

/** Cleaned lines; page breaks are lines of their own. */
function toLines(markdown: string): string[] {
  return markdown.split(PAGE_BREAK).flatMap((page, index) => {
    const lines = cleanText(page).split('\n');
    return index === 0 ? lines : [PAGE_BREAK, ...lines];
  });
}

function byHeadings(lines: readonly string[]): Section[] {
  const sections: Section[] = [];
  let fenced = false;
  for (const line of lines) {
    if (FENCE.test(line)) fenced = !fenced;
    const heading = fenced ? null : headingOf(line);
    const current = sections.at(-1);
    if (!current || (heading !== null && current.size >= MIN_SECTION_CHARS)) {
      sections.push({ heading, lines: [line], size: line.length });
    } else {
      current.heading ??= heading;
      current.lines.push(line);
      current.size += line.length + 1;
    }
  }
  return sections;
}

/** A section that is too long: at page breaks, else at lines that look like headings, else at paragraphs. */
function divide(section: Section): Section[] {
  if (section.size <= MAX_SECTION_CHARS) return [section];
  const dividers: ((line: string, size: number) => boolean)[] = [
    (line, size) => line === PAGE_BREAK && size > 0,
    (line, size) => size >= MIN_SECTION_CHARS && LIKE_HEADING.test(line),
    (line, size) => size >= PIECE_CHARS && line === '',
    (_line, size) => size >= PIECE_CHARS,
  ];
  for (const starts of dividers) {
    const pieces = cut(section, starts);
    if (pieces.length > 1) return pieces.flatMap((piece) => (piece.size < section.size ? divide(piece) : [piece]));
  }
  return [section];
}

function cut({ heading, lines }: Section, starts: (line: string, size: number) => boolean): Section[] {
  const pieces: Section[] = [];
  for (const line of lines) {
    const current = pieces.at(-1);
    if (!current || starts(line, current.size)) {
      const own = LIKE_HEADING.test(line) ? line.replaceAll('**', '') : null;
      pieces.push({ heading: own ?? heading, lines: [line], size: line.length });
    } else {
      current.lines.push(line);
      current.size += line.length + 1;
    }
  }
  return pieces;
}

/** The title of a heading line; null for any other. */
export function headingOf(line: string): string | null {
  const title = HEADING.exec(line)?.[1];
  return title === undefined ? null : withoutMarks(title) || null;
}

/** The first heading of the two upper levels; null when there is none. The title of a clause is none of the document. */
export function firstHeading(lines: readonly string[]): string | null {
  let fenced = false;
  for (const line of lines) {
    if (FENCE.test(line)) fenced = !fenced;
    const title = fenced ? undefined : /^#{1,2}\s+(\S.*)$/.exec(line)?.[1];
    if (title && !/^\d+(?:\.\d+)*\.?\s/.test(withoutMarks(title))) return withoutMarks(title).slice(0, 200) || null;
  }
  return null;
}

/** Without emphasis and code signs around words; an underscore inside a name stays. */
const withoutMarks = (title: string) =>
  withoutClosing(title.replace(/\*+|`+/g, '').replace(/(?<![\p{L}\p{N}])_+|_+(?![\p{L}\p{N}])/gu, '')).trimStart();

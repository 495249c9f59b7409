import type { ParsedDocument } from '../parsed';
import { cleanText } from './text';

/** Least text of a section; a heading inside a shorter one does not start the next. */
const MIN_SECTION_CHARS = 600;

/** Formats without pages are divided at headings, so that a citation still names a place. */
export function toSections(markdown: string): ParsedDocument {
  const sections: { heading: string | null; lines: string[]; size: number }[] = [];
  for (const line of cleanText(markdown).split('\n')) {
    const heading = /^#{1,3}\s+(.+)$/.exec(line)?.[1]?.replace(/[*_`]/g, '').trim() ?? null;
    const current = sections.at(-1);
    if (!current || (heading && current.size >= MIN_SECTION_CHARS))
      sections.push({ heading, lines: [line], size: line.length });
    else {
      current.heading ??= heading;
      current.lines.push(line);
      current.size += line.length;
    }
  }
  return {
    title: firstHeading(markdown),
    pageKind: 'section',
    pages: sections.map(({ heading, lines }, index) => ({ page: index + 1, heading, text: lines.join('\n').trim() })),
    notice: null,
  };
}

/** The first heading of the two upper levels; null when there is none. */
export function firstHeading(markdown: string): string | null {
  const heading = /^#{1,2}\s+(.+)$/m
    .exec(markdown)?.[1]
    ?.replace(/[*_`#]/g, '')
    .trim();
  return heading ? heading.slice(0, 200) : null;
}

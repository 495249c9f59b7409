/** A sentence of a text, as offsets in UTF-16 units, the end exclusive. Markers that follow its full stop belong to it. */
export interface Span {
  start: number;
  end: number;
}

const ABBREVIATION =
  /(?:^|[\s(])(?:e\.g|i\.e|cf|vs|approx|resp|fig|figs|sec|no|nos|eq|ref|incl|max|min|z\.B|d\.h|vgl|bzw|ca|Nr|Abb)\.$/i;
const INITIAL = /(?:^|[\s(])[A-Z]\.$/;
/** What looks like either behind a number is its unit: "4 m.", "10 min." */
const UNIT = /\d\s?[a-zA-Z]+\.$/;
/** A full stop, what closes with it, and the citations behind it. */
const END = /[.!?…]["”’)\]*_]*(?:\s*\[\d{1,3}\])*(?=\s|$)/g;
/** What a line begins with that is no part of its sentence: list signs, quotes, headings, table borders. */
const LEAD = /^(?:\s*(?:[-*+•>|]|#{1,6}|\d{1,3}[.)])(?=\s))*\s*/;

/** The sentences of Markdown text. Each line ends one: lists, headings and rows of tables are their own. Code is left out. */
export function splitSentences(text: string): Span[] {
  const spans: Span[] = [];
  let at = 0;
  let fenced = false;
  for (const line of text.split('\n')) {
    if (/^\s*(```|~~~)/.test(line)) fenced = !fenced;
    else if (!fenced) spans.push(...splitLine(line, at));
    at += line.length + 1;
  }
  return spans;
}

function isAbbreviated(text: string): boolean {
  // Only its end counts, and lines may be long.
  const end = text.slice(-20);
  return (ABBREVIATION.test(end) || INITIAL.test(end)) && !UNIT.test(end);
}

function splitLine(line: string, offset: number): Span[] {
  const spans: Span[] = [];
  let start = LEAD.exec(line)?.[0].length ?? 0;
  const add = (end: number) => {
    const blank = line.slice(start, end).length - line.slice(start, end).trimStart().length;
    if (line.slice(start + blank, end).trim() !== '') spans.push({ start: offset + start + blank, end: offset + end });
    start = end;
  };
  for (const match of line.matchAll(END)) {
    const stop = match.index + 1;
    if (stop <= start || (line[match.index] === '.' && isAbbreviated(line.slice(start, stop)))) continue;
    add(match.index + match[0].length);
  }
  add(line.trimEnd().length);
  return spans;
}

/** A sentence of a text, as offsets in UTF-16 units, the end exclusive. Markers that follow its full stop belong to it. */
export interface Span {
  start: number;
  end: number;
}

const ABBREVIATION =
  /(?:^|[\s(])(?:e\.g|i\.e|cf|vs|approx|resp|fig|figs|sec|no|nos|eq|ref|incl|max|min|z\.\s?B|d\.\s?h|u\.\s?a|vgl|bzw|ca|Nr|Abb|Tab|Kap|Abs|ggf|inkl|evtl|env|éd|art|núm|pág|рис|табл|стр|см|т\.\s?е)\.$/iu;
const INITIAL = /(?:^|[\s(])[A-Z]\.$/;
/** `3. November`, `Am 12. Mai`: a day, and no end. */
const ORDINAL = /(?:^|[\s(])\d{1,2}\.$/;
/** What looks like either behind a number is its unit: "4 m.", "10 min." */
const UNIT = /\d\s?[a-zA-Z]+\.$/;
/** A full stop, what closes with it, and the citations behind it. The full stops of scripts without blanks need none behind them. */
const END = /(?:[.!?…]["”’»)\]*_]*(?:\s*\[\d{1,3}\])*(?=\s|$)|[。！？｡][”’」』）"*_]*(?:\s*\[\d{1,3}\])*)/g;
/** What a line begins with that is no part of its sentence: list signs, quotes, headings, table borders. */
const LEAD = /^(?:\s*(?:[-*+•>|]|#{1,6}|\d{1,3}[.)])(?=\s))*\s*/;

/** The sentences of Markdown text. Each line ends one: lists, headings and rows of tables are their own. Code is left out. */
export function splitSentences(text: string): Span[] {
  const spans: Span[] = [];
  let at = 0;
  let fence = '';
  for (const line of text.split('\n')) {
    const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence !== '') {
      if (mark && mark[0] === fence[0] && mark.length >= fence.length) fence = '';
    } else if (mark) fence = mark;
    else addLine(line, at, spans);
    at += line.length + 1;
  }
  return spans;
}

function isAbbreviated(text: string, next: string): boolean {
  // Only its end counts, and lines may be long.
  const end = text.slice(-20);
  if (ORDINAL.test(end)) return /^\s+\p{L}/u.test(next);
  return (ABBREVIATION.test(end) || INITIAL.test(end)) && !UNIT.test(end);
}

function addLine(line: string, offset: number, spans: Span[]): void {
  let start = LEAD.exec(line)?.[0].length ?? 0;
  const add = (end: number) => {
    const piece = line.slice(start, end);
    const blank = piece.length - piece.trimStart().length;
    if (piece.trim() !== '') spans.push({ start: offset + start + blank, end: offset + end });
    start = end;
  };
  for (const match of line.matchAll(END)) {
    const stop = match.index + 1;
    if (stop <= start) continue;
    // A window suffices, and the line may be a megabyte.
    const before = line.slice(Math.max(start, stop - 20), stop);
    if (line[match.index] === '.' && isAbbreviated(before, line.slice(stop, stop + 3))) continue;
    add(match.index + match[0].length);
  }
  add(line.trimEnd().length);
}

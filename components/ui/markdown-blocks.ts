/** A part of a Markdown text that is rendered by itself. */
export interface MarkdownBlock {
  text: string;
  /** Where it begins in the whole, in UTF-16 units. */
  start: number;
  /** True for text that the parser or the browser would take far too long over: it is shown as it is written. */
  plain: boolean;
}

/** A new part begins at the next paragraph after this much. */
const MIN_CHARS = 1_500;
/** Parsing and laying out emphasis, brackets and links grows with the square of a paragraph. */
const MAX_CHARS = 6_000;
/** Each quotation or list within another is an element within an element. */
const MAX_DEPTH = 30;
/** Short rows are filled up to the width of the table. */
const MAX_CELLS = 5_000;
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
/** What goes on with a list, a quotation, a table or code of the part before. */
const GOES_ON = /^(?:\s|[-*+>|]|\d{1,9}[.)])/;

/** Cuts a text at paragraphs, so that a long answer is parsed once and not with every word that is added. Linear. */
export function toMarkdownBlocks(text: string): MarkdownBlock[] {
  const blocks: MarkdownBlock[] = [];
  let start = 0;
  let at = 0;
  let fence = '';
  let afterBlank = false;
  for (const line of text.split('\n')) {
    const mark = FENCE.exec(line)?.[1] ?? '';
    const begins = afterBlank && fence === '' && line.trim() !== '' && !GOES_ON.test(line);
    if (begins && at - start >= MIN_CHARS) {
      blocks.push(toBlock(text.slice(start, at), start));
      start = at;
    }
    if (fence === '') fence = mark;
    else if (mark[0] === fence[0] && mark.length >= fence.length && line.trim() === mark) fence = '';
    afterBlank = line.trim() === '';
    at += line.length + 1;
  }
  blocks.push(toBlock(text.slice(start), start));
  return blocks;
}

const toBlock = (text: string, start: number): MarkdownBlock => ({ text, start, plain: isTooMuch(text) });

function isTooMuch(text: string): boolean {
  if (text.length > MAX_CHARS && !isCode(text)) return true;
  const lines = text.split('\n');
  let pipes = 0;
  let rows = 0;
  for (const line of lines) {
    if (depthOf(line) > MAX_DEPTH) return true;
    if (!line.includes('|')) continue;
    rows += 1;
    pipes = Math.max(pipes, line.split('|').length);
  }
  return pipes * rows > MAX_CELLS;
}

/** One fence with code between, however long. */
function isCode(text: string): boolean {
  const mark = FENCE.exec(text)?.[1];
  if (!mark) return false;
  const end = text.trimEnd().lastIndexOf(`\n${mark}`);
  return end > 0 && text.indexOf(`\n${mark}`) === end;
}

/** Signs of quotations and lists that a line begins with, and what its indentation may stand for. */
function depthOf(line: string): number {
  let depth = 0;
  let at = 0;
  for (; at < line.length; at++) {
    const sign = line.charAt(at);
    if (sign === '>' || sign === '-' || sign === '*' || sign === '+') depth += 1;
    else if (sign !== ' ' && sign !== '\t') break;
  }
  // A line of dashes or stars is a rule.
  return /^[-*_\s]+$/.test(line) && !/[-*]\s+[-*]/.test(line) ? 0 : Math.max(depth, Math.floor((at - depth) / 4));
}

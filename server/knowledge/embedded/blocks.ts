/** A paragraph, list, table or heading of a page. */
export type Block =
  | { kind: 'heading'; text: string; title: string; level: number; opensPassage: true }
  | { kind: 'text'; text: string; opensPassage: boolean };

const MARKDOWN_HEADING = /^(#{1,6})\s+(\S.*)$/;
/** A bold run at the start of a paragraph that begins with a clause number: `**5.7.4 Mutex Semaphores** Mutex…`. */
const RUN_IN_HEADING = /^\*\*((?:[A-Z]|\d{1,3})(?:\.\d{1,3}){0,8}\.?\s[^*\n]{2,90})\*\*/;
/** A short line of its own that begins with a clause number of at least two parts. */
const NUMBERED_LINE = /^((?:[A-Z]|\d{1,2})(?:\.\d{1,3}){1,5}\.?)\s+(\p{Lu}[^\n]{2,90})$/u;
/** `HED-FAI-REQ-0010`, `cES1001`, `SSR24` at the start of a line. */
const REQUIREMENT = /^[|*\s]*(?:[A-Z]{2,}(?:-[A-Z0-9]+)+|[a-z]{0,3}[A-Z]{2,4}\d{1,5})\b/;
const FENCE = /^\s{0,3}(?:`{3,}|~{3,})/;
const TABLE_RULE = /^\|?[\s:|-]+\|?$/;

/** Splits the Markdown of one page into blocks of at most `maxChars`. */
export function toBlocks(markdown: string, maxChars: number): Block[] {
  const blocks: Block[] = [];
  for (const paragraph of paragraphs(markdown)) {
    const heading = toHeading(paragraph);
    if (heading) {
      blocks.push(heading.block);
      if (heading.rest) blocks.push(...toText(heading.rest, maxChars));
    } else {
      blocks.push(...toText(paragraph, maxChars));
    }
  }
  return blocks;
}

/** Blank lines end a paragraph, and so do a Markdown heading and the border between table and text. */
function paragraphs(markdown: string): string[] {
  const result: string[] = [];
  let current: string[] = [];
  const flush = () => {
    if (current.length > 0) result.push(current.join('\n'));
    current = [];
  };
  let fenced = false;
  for (const line of markdown.split('\n')) {
    const trimmed = line.trim();
    const last = current.at(-1)?.trim();
    if (FENCE.test(line)) {
      // Code is one block, whatever its lines look like.
      if (!fenced) flush();
      current.push(line.trimEnd());
      if (fenced) flush();
      fenced = !fenced;
    } else if (fenced) current.push(line.trimEnd());
    else if (trimmed === '') flush();
    else if (MARKDOWN_HEADING.test(trimmed)) {
      flush();
      result.push(trimmed);
    } else if (RUN_IN_HEADING.test(trimmed) || (last !== undefined && isRow(last) !== isRow(trimmed))) {
      flush();
      current.push(line.trimEnd());
    } else current.push(line.trimEnd());
  }
  flush();
  return result;
}

const isRow = (line: string) => line.startsWith('|');

/** Without the number signs that may close a heading of Markdown; `C#` keeps its own. */
export const withoutClosing = (title: string) =>
  title
    .trimEnd()
    .replace(/(?<=\s)#+$/, '')
    .trimEnd();

function toHeading(paragraph: string): { block: Block; rest: string } | undefined {
  if (FENCE.test(paragraph)) return undefined;
  const markdown = MARKDOWN_HEADING.exec(paragraph);
  if (markdown)
    return { block: headingBlock(paragraph, withoutClosing(markdown[2] ?? ''), (markdown[1] ?? '').length), rest: '' };
  const runIn = RUN_IN_HEADING.exec(paragraph);
  if (runIn) {
    const title = runIn[1] ?? '';
    return {
      block: headingBlock(`**${title}**`, title, clauseDepth(title)),
      rest: paragraph.slice(runIn[0].length).trim(),
    };
  }
  const numbered = NUMBERED_LINE.exec(paragraph.trim());
  if (numbered && !/[.:;,]$/.test(paragraph.trim())) {
    return { block: headingBlock(paragraph, paragraph.trim(), clauseDepth(paragraph)), rest: '' };
  }
  return undefined;
}

function headingBlock(text: string, title: string, markdownLevel: number): Block {
  const clean = title.replace(/\*\*|__|`/g, '').trim();
  const level = /^(?:[A-Z]|\d+)(?:\.\d+)*\.?\s/.test(clean) ? clauseDepth(clean) : markdownLevel;
  return { kind: 'heading', text, title: clean.slice(0, 160), level, opensPassage: true };
}

/** `5` is 1, `5.7.4` is 3. */
function clauseDepth(title: string): number {
  const number = /^(?:[A-Z]|\d+)(?:\.\d+)*/.exec(title.trim())?.[0] ?? '';
  return number.split('.').length;
}

function toText(paragraph: string, maxChars: number): Block[] {
  const pieces = isRow(paragraph.trimStart()) ? splitTable(paragraph, maxChars) : splitProse(paragraph, maxChars);
  return pieces.map((text) => ({ kind: 'text', text, opensPassage: REQUIREMENT.test(text) }));
}

/** A longer head of a table is not repeated: it would be most of every passage. */
const MAX_HEAD_SHARE = 1 / 3;

/** Between rows; every piece after the first repeats the head of the table, and none is longer than `maxChars`. */
function splitTable(table: string, maxChars: number): string[] {
  if (table.length <= maxChars) return [table];
  const rows = table.split('\n');
  const headRows = TABLE_RULE.test(rows[1] ?? '') ? 2 : 0;
  const wholeHead = rows.slice(0, headRows).join('\n');
  const repeated = wholeHead.length <= maxChars * MAX_HEAD_SHARE;
  const head = repeated ? wholeHead : '';
  const pieces: string[] = [];
  let current = head;
  for (const row of rows.slice(repeated ? headRows : 0)) {
    for (const part of splitProse(row, maxChars - head.length - 1)) {
      if (current !== head && current.length + part.length >= maxChars) {
        pieces.push(current);
        current = head;
      }
      current = current === '' ? part : `${current}\n${part}`;
    }
  }
  if (current !== head) pieces.push(current);
  return pieces;
}

/** At sentence ends, else at blanks. */
function splitProse(text: string, maxChars: number): string[] {
  const pieces: string[] = [];
  let rest = text;
  while (rest.length > maxChars) {
    const window = rest.slice(0, maxChars);
    const sentence = Math.max(window.lastIndexOf('. '), window.lastIndexOf('.\n'), window.lastIndexOf('; '));
    const cut = sentence > maxChars / 2 ? sentence + 1 : Math.max(window.lastIndexOf(' '), window.lastIndexOf('\n'));
    const at = cut > maxChars / 4 ? cut : maxChars;
    pieces.push(rest.slice(0, at).trim());
    rest = rest.slice(at).trimStart();
  }
  if (rest !== '') pieces.push(rest);
  return pieces;
}

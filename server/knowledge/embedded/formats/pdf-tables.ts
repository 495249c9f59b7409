import { isTableRow, type PlacedLine } from './pdf-lines';
import { toTable } from './table';

const RULE = /^\|(?:\s*:?-+:?\s*\|)+$/;
/** The caption of a table, in the languages of standards. */
const CAPTION =
  /(?:^|\s)\**((?:Table|Tab\.|Tabelle|Tableau|Tabla|Tabella|Tabela|Tabel|表)\s?[A-Z]?\d{1,3}(?:[-–.]\d{1,3}){0,3}\s?[:.–—-]?\s.{0,160})$/u;

const MAX_CAPTION = 200;

const captionIn = (cell: string) => CAPTION.exec(cell.slice(-MAX_CAPTION))?.[1];

/** Rows of a Markdown table as cells; escaped bars stay in their cell. */
function cellsOf(row: string): string[] {
  return row
    .trim()
    .replace(/^\|/, '')
    .replace(/\|$/, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
}

/** The blocks of a page: tables and what stands between them. */
function blocksOf(text: string): { table: boolean; lines: string[] }[] {
  const blocks: { table: boolean; lines: string[] }[] = [];
  for (const line of text.split('\n')) {
    const table = isTableRow(line);
    const last = blocks.at(-1);
    if (last && last.table === table) last.lines.push(line);
    else blocks.push({ table, lines: [line] });
  }
  return blocks;
}

/**
 * Two tables that follow each other come out of the reader as one, the caption of the second in a cell: they are taken
 * apart there. Columns that are empty in one of them go.
 */
export function splitAtCaptions(text: string): string {
  if (!text.includes('|')) return text;
  return blocksOf(text)
    .map(({ table, lines }) => (table ? splitTable(lines) : lines.join('\n')))
    .join('\n');
}

function splitTable(lines: readonly string[]): string {
  const rows = lines.filter((line) => !RULE.test(line.trim())).map(cellsOf);
  const parts: string[] = [];
  let current: string[][] = [];
  const flush = () => {
    if (current.length > 0) parts.push(toTable(withoutEmptyColumns(current)));
    current = [];
  };
  let split = false;
  for (const row of rows) {
    const at = row.findIndex(
      (cell, index) =>
        captionIn(cell) !== undefined &&
        (index > 0 || current.length > 0 || row.slice(1).every((other) => other === '')),
    );
    const caption = at < 0 ? undefined : captionIn(row[at] ?? '');
    if (caption === undefined || current.length === 0) {
      current.push(row);
      continue;
    }
    split = true;
    const rest = row.with(
      at,
      (row[at] ?? '')
        .slice(0, -caption.length)
        .replace(/(?<!\*)\*+$/, '')
        .trim(),
    );
    if (rest.some((cell) => cell !== '')) current.push(rest);
    flush();
    parts.push(`**${caption.replaceAll('*', '').trim()}**`);
  }
  if (!split) return lines.join('\n');
  flush();
  return parts.join('\n\n');
}

function withoutEmptyColumns(rows: readonly string[][]): string[][] {
  const width = rows.reduce((most, row) => Math.max(most, row.length), 0);
  const used = Array.from({ length: width }, (_, column) => rows.some((row) => (row[column] ?? '') !== ''));
  return rows.map((row) => used.flatMap((keep, column) => (keep ? [row[column] ?? ''] : [])));
}

/** A table that goes on at the top of the next page gets its head there as well. */
export function continueHeads(pages: readonly string[]): string[] {
  let open: { head: string; columns: number } | undefined;
  return pages.map((page) => {
    const lines = page.split('\n');
    let text = page;
    const [first = '', second = ''] = lines;
    if (open && isTableRow(first)) {
      const columns = cellsOf(first).length;
      if (columns === open.columns && normal(first) !== normal(open.head)) {
        // What stood as head is a row.
        const rows = RULE.test(second.trim()) ? [first, ...lines.slice(2)] : lines;
        text = [open.head, `|${' --- |'.repeat(columns)}`, ...rows].join('\n');
      }
    }
    open = openTable(text);
    return text;
  });
}

/** The table at the end of a page. */
function openTable(text: string): { head: string; columns: number } | undefined {
  const last = blocksOf(text.trimEnd()).at(-1);
  const [head = '', rule = ''] = last?.table ? last.lines : [];
  return head !== '' && RULE.test(rule.trim()) ? { head, columns: cellsOf(head).length } : undefined;
}

const normal = (row: string) =>
  row
    .replace(/[\s|]+/g, ' ')
    .trim()
    .toLowerCase();

/** Rows that make a table at least, and cells in each. */
const MIN_ROWS = 3;
const MIN_CELLS = 2;
/** Longer cells are columns of running text. */
const MAX_CELL_CHARS = 60;
/** Rows farther apart than this, in sizes of the font, belong to different tables. */
const MAX_ROW_GAP = 3.2;

/**
 * Tables that the reader of layouts took for text: lines of the same number of cells, each under the one above.
 * Their lines in the page's text are replaced by the table; when they cannot be found there, the text stays.
 */
export function withTables(text: string, lines: readonly PlacedLine[]): string {
  let result = text;
  for (const rows of gridsOf(lines)) {
    // A table that was recognised is left alone.
    if (!result.includes('|')) result = replaceLines(result, rows);
    else if (!rows.some((row) => isInTable(result, row))) result = replaceLines(result, rows);
  }
  return result;
}

function gridsOf(lines: readonly PlacedLine[]): string[][][] {
  const grids: string[][][] = [];
  let current: PlacedLine[] = [];
  const flush = () => {
    if (current.length >= MIN_ROWS) grids.push(current.map(({ cells }) => cells.map((cell) => cell.text)));
    current = [];
  };
  for (const line of lines) {
    const above = current.at(-1);
    const fits =
      line.cells.length >= MIN_CELLS &&
      line.cells.every((cell) => cell.text.length <= MAX_CELL_CHARS) &&
      (!above || (above.y - line.y <= MAX_ROW_GAP * line.size && isUnder(line, above)));
    if (!fits) flush();
    if (line.cells.length >= MIN_CELLS && line.cells.every((cell) => cell.text.length <= MAX_CELL_CHARS))
      current.push(line);
  }
  flush();
  return grids;
}

/** Every cell reaches under exactly its own of the line above. */
function isUnder(line: PlacedLine, above: PlacedLine): boolean {
  if (line.cells.length !== above.cells.length) return false;
  return line.cells.every((cell, index) => {
    const over = above.cells[index];
    const next = above.cells[index + 1];
    const before = above.cells[index - 1];
    if (!over || cell.right < over.left || cell.left > over.right) return false;
    return (!next || cell.right < next.left) && (!before || cell.left > before.right);
  });
}

const letters = (text: string) => text.replace(/[\s|#*_]+/g, '');

function isInTable(text: string, row: readonly string[]): boolean {
  const wanted = letters(row.join(''));
  return text.split('\n').some((line) => isTableRow(line) && letters(line).includes(wanted));
}

function replaceLines(text: string, rows: readonly (readonly string[])[]): string {
  const lines = text.split('\n');
  const wanted = rows.map((row) => letters(row.join('')));
  const start = lines.findIndex((line) => letters(line) === wanted[0]);
  if (start < 0) return text;
  let found = 1;
  let end = start + 1;
  for (; end < lines.length && found < wanted.length; end++) {
    const line = letters(lines[end] ?? '');
    if (line === '') continue;
    if (line !== wanted[found]) return text;
    found += 1;
  }
  if (found < wanted.length) return text;
  return [...lines.slice(0, start), '', toTable(rows), '', ...lines.slice(end)]
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

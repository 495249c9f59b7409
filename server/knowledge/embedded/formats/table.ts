/** A cell that may reach over several columns and rows. */
export interface Cell {
  text: string;
  columns?: number;
  rows?: number;
}

/** Wider and longer cells are cut: a file may claim millions. */
const MAX_SPAN = 1_000;
const MAX_GRID_CELLS = 2_000_000;

/**
 * Rows of a grid in which every column has a cell: a cell that reaches over several columns or rows stands in each of
 * them, so that no value moves under the head of another.
 */
export function toGrid(rows: readonly (readonly Cell[])[]): string[][] {
  const grid: string[][] = [];
  /** By column: the text that reaches down, and over how many more rows. */
  let hanging = new Map<number, { text: string; rows: number }>();
  let filled = 0;
  for (const cells of rows) {
    const row: string[] = [];
    const next = new Map<number, { text: string; rows: number }>();
    const fromAbove = () => {
      for (let above = hanging.get(row.length); above; above = hanging.get(row.length)) {
        if (above.rows > 1) next.set(row.length, { ...above, rows: above.rows - 1 });
        row.push(above.text);
      }
    };
    for (const { text, columns = 1, rows: down = 1 } of cells) {
      fromAbove();
      for (let column = 0; column < Math.min(Math.max(1, columns), MAX_SPAN); column++) {
        if (down > 1) next.set(row.length, { text, rows: Math.min(down, MAX_SPAN) - 1 });
        row.push(text);
      }
    }
    fromAbove();
    filled += row.length;
    if (filled > MAX_GRID_CELLS) return grid;
    hanging = next;
    grid.push(row);
  }
  return grid;
}

/** Rows of the head joined into one, column by column, without repeats: `Range` over `Min` is `Range Min`. */
export function joinHead(rows: readonly (readonly string[])[], headRows: number): string[][] {
  if (headRows < 2) return rows.map((row) => [...row]);
  const head = rows.slice(0, headRows);
  const width = Math.max(0, ...head.map((row) => row.length));
  const joined = Array.from({ length: width }, (_, column) =>
    [...new Set(head.map((row) => (row[column] ?? '').trim()).filter((text) => text !== ''))].join(' '),
  );
  return [joined, ...rows.slice(headRows).map((row) => [...row])];
}

/** Rows as a Markdown table with the first one as its head; rows without any text are left out. */
export function toTable(rows: readonly (readonly string[])[]): string {
  const used = rows.map((row) => row.map(toCell)).filter((row) => row.some((cell) => cell !== ''));
  const [head] = used;
  if (!head) return '';
  const width = used.reduce((most, row) => Math.max(most, row.length), 0);
  const line = (row: readonly string[]) => `| ${Array.from({ length: width }, (_, n) => row[n] ?? '').join(' | ')} |`;
  return [line(head), `|${' --- |'.repeat(width)}`, ...used.slice(1).map(line)].join('\n');
}

const toCell = (text: string) => text.replace(/\s+/g, ' ').replaceAll('|', '\\|').trim();

/** A table inside a cell, which a Markdown table cannot hold: cells by commas, rows by semicolons. */
export function toInline(rows: readonly (readonly string[])[]): string {
  return rows
    .map((row) => row.filter((text) => text.trim() !== '').join(', '))
    .filter((row) => row !== '')
    .join('; ');
}

/** Rows on one section of a long table. */
const SECTION_ROWS = 200;

/** A long table in sections, each with the head repeated. */
export function toTableSections(rows: readonly (readonly string[])[]): string[] {
  const [head, ...body] = rows;
  if (!head) return [];
  const sections: string[] = [];
  for (let from = 0; from === 0 || from < body.length; from += SECTION_ROWS) {
    sections.push(toTable([head, ...body.slice(from, from + SECTION_ROWS)]));
  }
  return sections.filter((section) => section !== '');
}

import type { PlacedRun } from './pdf';

/** Pieces of a line that stand apart, from left to right. */
export interface PlacedCell {
  text: string;
  left: number;
  right: number;
}

export interface PlacedLine {
  cells: PlacedCell[];
  /** Baseline, from the bottom of the page. */
  y: number;
  size: number;
  bold: boolean;
}

/** Two runs are on one line when their baselines differ by less than this share of their size. */
const SAME_LINE = 0.35;
/** A gap wider than this, in sizes of the font, divides cells; a blank is a quarter to a half. */
const CELL_GAP = 0.95;
const BLANK_GAP = 0.15;
/** More than this between lines, in sizes, ends a paragraph. */
const PARAGRAPH_GAP = 1.65;
/** Larger than the usual text by this: a heading. */
const HEADING_SIZE = 1.15;

/** The lines of a page from top to bottom, by where the runs of text stand. */
export function toLines(runs: readonly PlacedRun[]): PlacedLine[] {
  const sorted = runs
    .filter(({ text }) => text.trim() !== '')
    .map((run) => ({ run, y: baseline(run) }))
    .sort((a, b) => b.y - a.y || a.run.box[0] - b.run.box[0]);
  const groups: { run: PlacedRun; y: number }[][] = [];
  for (const one of sorted) {
    const group = groups.at(-1);
    const first = group?.[0];
    if (group && first && first.y - one.y < SAME_LINE * Math.max(1, first.run.size)) group.push(one);
    else groups.push([one]);
  }
  return groups.map((group) => {
    const inOrder = group.map(({ run }) => run).sort((a, b) => a.box[0] - b.box[0]);
    const size = Math.max(...inOrder.map((run) => run.size));
    return { cells: toCells(inOrder, size), y: group[0]?.y ?? 0, size, bold: inOrder.every(({ bold }) => bold) };
  });
}

/** Boxes reach a fifth of their height below the baseline. */
const baseline = ({ box: [, bottom, , top] }: PlacedRun) => bottom + (top - bottom) / 6;

function toCells(runs: readonly PlacedRun[], size: number): PlacedCell[] {
  const cells: PlacedCell[] = [];
  for (const { text, box } of runs) {
    const [left, , right] = box;
    const last = cells.at(-1);
    const gap = last ? left - last.right : Number.POSITIVE_INFINITY;
    if (last && gap < CELL_GAP * size) {
      const blank = gap > BLANK_GAP * size && !/\s$/.test(last.text) && !/^\s/.test(text);
      last.text += (blank ? ' ' : '') + text;
      last.right = Math.max(last.right, right);
    } else cells.push({ text: text.trimStart(), left, right });
  }
  return cells.map((cell) => ({ ...cell, text: cell.text.replace(/\s+/g, ' ').trim() }));
}

/** The text of lines as paragraphs; a larger line of its own is a heading. */
export function toText(lines: readonly PlacedLine[]): string {
  const usual = median(lines.map(({ size }) => size));
  const parts: string[] = [];
  let last: PlacedLine | undefined;
  for (const line of lines) {
    const text = line.cells.map((cell) => cell.text).join(' ');
    const heading = line.size >= HEADING_SIZE * usual && text.length < 120;
    const apart = !last || last.y - line.y > PARAGRAPH_GAP * line.size || heading || last.size >= HEADING_SIZE * usual;
    parts.push(`${apart ? '\n\n' : '\n'}${heading ? '## ' : ''}${text}`);
    last = line;
  }
  return parts.join('').trim();
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Lines looked at from the top and the bottom of each page. */
const MARGIN_LINES = 2;
/** A line at a page's edge is a running one when it stands on this share of the pages, or of every second page. */
const RUNNING_SHARE = 0.6;
const MIN_PAGES = 4;
const MIN_SAME = 3;
/** A longer line is text. */
const MAX_RUNNING_CHARS = 140;

/**
 * Drops running heads and feet: lines at a page's edge that stand, but for their numbers, on most pages, or on most of
 * the left or of the right ones.
 */
export function withoutRunningLines(pages: readonly string[]): string[] {
  if (pages.length < MIN_PAGES) return [...pages];
  // A row of a table is never a running line; a bare page number is one of its own kind.
  const key = (line: string) =>
    isTableRow(line)
      ? line
      : line
          .replace(/[\d*_#]+/g, '')
          .replace(/\s+/g, ' ')
          .trim() || '#';
  const edges = pages.map((page) => {
    const lines = page.split('\n').filter((line) => line.trim() !== '');
    const edge = [...lines.slice(0, MARGIN_LINES), ...lines.slice(-MARGIN_LINES)];
    return new Set(edge.filter((line) => line.length <= MAX_RUNNING_CHARS).map(key));
  });
  const counts = [new Map<string, number>(), new Map<string, number>()] as const;
  for (const [index, edge] of edges.entries()) {
    const side = counts[(index % 2) as 0 | 1];
    for (const line of edge) side.set(line, (side.get(line) ?? 0) + 1);
  }
  const sides = [Math.ceil(pages.length / 2), Math.floor(pages.length / 2)];
  const isRunning = (line: string, side: 0 | 1) => {
    const [own, other] = [counts[side].get(line) ?? 0, counts[side === 0 ? 1 : 0].get(line) ?? 0];
    const onSide = own >= MIN_SAME && own >= (sides[side] ?? 0) * RUNNING_SHARE;
    return onSide || (own + other >= MIN_SAME && own + other >= pages.length * RUNNING_SHARE);
  };
  return pages.map((page, index) => {
    const side = (index % 2) as 0 | 1;
    const lines = page.split('\n');
    // A page that is nearly nothing else keeps what it has.
    if (lines.filter((line) => line.trim() !== '').length <= 1) return page;
    const kept = lines.filter((line, at) => {
      if (line.trim() === '' || isTableRow(line)) return true;
      const atEdge = edges[index]?.has(key(line)) && (at < 2 * MARGIN_LINES || at >= lines.length - 2 * MARGIN_LINES);
      return !atEdge || !isRunning(key(line), side);
    });
    return kept.join('\n').trim();
  });
}

export const isTableRow = (line: string) => line.trimStart().startsWith('|');

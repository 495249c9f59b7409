import type { Box } from '../../core/knowledge';
import type { TextRun } from './parsed';

/** Runs of the same line, or of lines that follow each other, become one box. */
const LINE_GAP = 1.9;
const MAX_BOXES = 60;

/**
 * Where the passages of one page stand on it. A page's runs of text and its passages come from different
 * readings of the file, so a run belongs to the passage whose letters and digits contain its own; where several
 * do, as with a short cell of a table, to the one that the run before it belongs to.
 */
export function findBoxes(runs: readonly TextRun[], passages: readonly { text: string }[]): Box[][] {
  const boxes: Box[][] = passages.map(() => []);
  const letters = passages.map(({ text }) => lettersOf(text));
  let current = 0;
  for (const { text, box } of runs) {
    const wanted = lettersOf(text);
    if (wanted === '') continue;
    const order = [...passages.keys()].sort((a, b) => distance(a, current) - distance(b, current));
    const owner = order.find((index) => letters[index]?.includes(wanted));
    if (owner === undefined) continue;
    current = owner;
    extend(boxes[owner] as Box[], box);
  }
  return boxes.map((all) => all.slice(0, MAX_BOXES).map((box) => box.map((value) => Math.round(value)) as Box));
}

/** The same one first, then those that follow. */
const distance = (index: number, current: number) => (index >= current ? index - current : (current - index) * 2);

const lettersOf = (text: string) =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');

function extend(boxes: Box[], [left, bottom, right, top]: Box): void {
  const last = boxes.at(-1);
  if (last) {
    const [lastLeft, lastBottom, lastRight, lastTop] = last;
    const height = top - bottom;
    const sameLine = Math.abs(bottom - lastBottom) < height / 2;
    const below = bottom < lastBottom && lastBottom - bottom < height * LINE_GAP;
    if (sameLine || (below && left < lastRight && right > lastLeft)) {
      boxes[boxes.length - 1] = [
        Math.min(left, lastLeft),
        Math.min(bottom, lastBottom),
        Math.max(right, lastRight),
        Math.max(top, lastTop),
      ];
      return;
    }
  }
  boxes.push([left, bottom, right, top]);
}

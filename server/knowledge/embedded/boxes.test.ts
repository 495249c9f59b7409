import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Box } from '../../core/knowledge';
import { root } from '../../testing/knowledge';
import { findBoxes } from './boxes';
import { parsePdf } from './formats/pdf';
import type { TextRun } from './parsed';
import { toPassages } from './split';

const run = (text: string, left: number, bottom: number, width = 100): TextRun => ({
  text,
  box: [left, bottom, left + width, bottom + 10] as Box,
});

test('lines that follow each other are one box, short cells go with their neighbours', () => {
  const runs = [
    run('Company - Issue 2', 50, 800),
    run('The fairing has a dia-', 50, 700, 300),
    run('meter of 4.0 m.', 50, 686, 120),
    run('Mass', 50, 600, 30),
    run('4.0 m', 300, 600, 30),
    run('Volume', 50, 500, 30),
    run('4.0 m', 300, 500, 30),
  ];
  const passages = [
    { text: '## 3 Fairing\n\nThe **fairing** has a diameter of 4.0 m.\n\n| Mass | 4.0 m |' },
    { text: '| Volume | 4.0 m |' },
  ];
  expect(findBoxes(runs, passages)).toEqual([
    [
      [50, 686, 350, 710],
      [50, 600, 330, 610],
    ],
    [[50, 500, 330, 510]],
  ]);
  expect(findBoxes([], passages)).toEqual([[], []]);
});

test('every passage of a PDF has its place on the page', async () => {
  const file = readFileSync(join(root, 'samples', 'hedera-2-payload-fairing.pdf'));
  const passages = toPassages(await parsePdf(file), 'test.pdf');
  expect(passages.length).toBeGreaterThan(10);
  for (const { boxes, text } of passages) {
    expect(boxes.length, text).toBeGreaterThan(0);
    for (const [left, bottom, right, top] of boxes) {
      expect(left).toBeLessThan(right);
      expect(bottom).toBeLessThan(top);
      expect(Math.min(left, bottom)).toBeGreaterThanOrEqual(0);
      expect(right).toBeLessThanOrEqual(596);
      expect(top).toBeLessThanOrEqual(842);
    }
  }
  // "It has an external diameter of 4.0 m": page 3, under the heading at 726 points.
  const design = passages.find(({ text }) => text.includes('external diameter of 4.0 m'));
  expect(design?.page).toBe(3);
  const boxes = design?.boxes ?? [];
  expect(Math.min(...boxes.map(([, bottom]) => bottom))).toBeCloseTo(662, -1);
  expect(Math.max(...boxes.map(([, , , top]) => top))).toBeCloseTo(772, -1);
});

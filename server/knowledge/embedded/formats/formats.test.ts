import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { xlsx, zip } from '../../../testing/document-files';
import { root } from '../../../testing/knowledge';
import { toPassages } from '../split';
import { parseCsv } from './csv';
import { parseEpub } from './epub';
import { parsePptx } from './pptx';
import { parseXlsx } from './xlsx';
import { parseXml } from './xml';

/** Written by openpyxl, python-pptx and ebooklib. */
const fixture = (name: string) => readFileSync(join(root, 'server', 'testing', 'fixtures', name));

describe('a presentation', () => {
  const { pages, title, pageKind } = parsePptx(fixture('review.pptx'));

  test('has a page for each slide, in the order of the show', () => {
    expect(pageKind).toBe('page');
    expect(title).toBe('Fairing review');
    expect(pages.map(({ page, heading }) => [page, heading])).toEqual([
      [1, 'Payload fairing review'],
      [2, 'Masses'],
      [3, 'Separation'],
    ]);
  });

  test('keeps titles, lists, tables and notes', () => {
    expect(pages[0]?.text).toBe('## Payload fairing review\n\nHedera 2');
    expect(pages[1]?.text).toBe('## Masses\n\n| Part | Mass |\n| --- | --- |\n| Half-shell | 470 kg |');
    expect(pages[2]?.text).toBe(
      '## Separation\n\nPyrotechnic cord cuts the fairing\n- Two half-shells\n\nNotes: Mention the test of March 2024.',
    );
  });
});

describe('a workbook', () => {
  const { pages, title, notice } = parseXlsx(fixture('budgets.xlsx'));

  test('has its sheets as tables: numbers and dates as Excel shows them, no lost columns', () => {
    expect([title, notice]).toEqual(['Hedera budgets', null]);
    expect(pages[0]).toMatchObject({ page: 1, heading: 'Loads' });
    expect(pages[0]?.text.split('\n').slice(2)).toEqual([
      '| Load case | Axial (g) | Date | Margin |  | Doubled |',
      '| --- | --- | --- | --- | --- | --- |',
      '| Lift-off | 2.5 | 2024-03-01 | 0.1 |  |  |',
      '| Separation \\| stage 1 | -1.75 | 2024-03-02 14:30:00 | TRUE |  |  |',
    ]);
  });

  test('is divided into sections that each repeat the head', () => {
    expect(pages.map(({ heading }) => heading)).toEqual(['Loads', 'Mass budget', 'Mass budget', 'Mass budget']);
    expect(pages[3]?.text).toMatch(
      /^## Mass budget\n\n\| Part \| Mass \(kg\) \|\n\| --- \| --- \|\n\| Bolt 400 \| 3.99 \|/,
    );
  });
});

test.each(['rId1', 'R5c3f9a'])('a sheet is found by its relation %s, whatever its name', (id) => {
  const sheet =
    '<x:row r="1"><x:c r="A1"><x:v>7</x:v></x:c></x:row><x:row r="2"/><x:row r="3"><x:c><x:v>8</x:v></x:c></x:row>';
  const { pages } = parseXlsx(xlsx(sheet, { name: 'Ridership', id }));
  expect(pages.map(({ heading }) => heading)).toEqual(['Ridership']);
  expect(pages[0]?.text).toContain('| 8 |');
});

test('a sheet beyond the limits is read as far as they go, and that is said', () => {
  const row = (n: number) => `<x:row r="${n}">${'<x:c><x:v>1</x:v></x:c>'.repeat(7)}</x:row>`;
  const rows = Array.from({ length: 60_000 }, (_, n) => row(n + 1)).join('');
  const { notice, pages } = parseXlsx(xlsx(rows));
  expect(notice).toBe('Only the first 400,000 cells and 500 columns are searched.');
  expect(pages.length).toBeGreaterThan(200);
  const wide = '<x:row r="1"><x:c r="ZZ1"><x:v>1</x:v></x:c></x:row>';
  expect(parseXlsx(xlsx(wide)).notice).toContain('500 columns');
});

test('a table with a very long head makes no passage longer than others', () => {
  const columns = Array.from({ length: 120 }, (_, n) => `column number ${n}`);
  const rows = Array.from({ length: 50 }, (_, n) => columns.map((_, column) => `${n}.${column}`).join(','));
  const passages = toPassages(parseCsv([columns.join(','), ...rows].join('\n')), 'test.csv');
  expect(passages.length).toBeGreaterThan(10);
  for (const { text } of passages) expect(text.length).toBeLessThanOrEqual(1_700);
  expect(passages.map(({ text }) => text).join(' ')).toContain('49.119');
});

test('a book is read in its order, divided at headings, and nothing is fetched', () => {
  const { pages, title } = parseEpub(fixture('handbook.epub'));
  expect(title).toBe('Launcher handbook');
  expect(pages.map(({ page, heading }) => [page, heading])).toEqual([
    [1, 'Fairing'],
    [2, 'Motors'],
  ]);
  expect(pages[1]?.text).toContain('| Motors | 940 kg |');
});

test.each([
  ['a,b\n1,"x, ""y"""\n', ['| a | b |', '| --- | --- |', '| 1 | x, "y" |']],
  ['a;b\r\n1;2,5\r\n', ['| a | b |', '| --- | --- |', '| 1 | 2,5 |']],
  ['a\tb\n1\t"two\nlines"', ['| a | b |', '| --- | --- |', '| 1 | two lines |']],
  ['a,b\n1,"open', ['| a | b |', '| --- | --- |', '| 1 | open |']],
  ['a,b\n\n1\n', ['| a | b |', '| --- | --- |', '| 1 |  |']],
])('the values of %j are a table', (text, lines) => {
  expect(parseCsv(text).pages[0]?.text.split('\n')).toEqual(lines);
});

describe('hostile archives', () => {
  test.each([
    ['an empty one', zip({}), /damaged/],
    ['one without its main part', zip({ 'ppt/slides/slide1.xml': '<a/>' }), /damaged/],
    ['one that is cut off', fixture('review.pptx').subarray(0, 9_000), /damaged/],
    ['entities of its own', zip({ 'ppt/presentation.xml': '<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>' }), /entities/],
    [
      'no end to its nesting',
      zip({ 'ppt/presentation.xml': '<a>'.repeat(5_000) + '</a>'.repeat(5_000) }),
      /nested|damaged/,
    ],
  ])('%s', (_name, content, reason) => expect(() => parsePptx(content)).toThrow(reason));

  test('a directory that lies about sizes gains nothing', () => {
    const bomb = zip({ 'xl/workbook.xml': 'x'.repeat(5_000_000) });
    // The uncompressed size in both headers.
    const small = Buffer.from(bomb);
    small.writeUInt32LE(10, 22);
    small.writeUInt32LE(10, small.lastIndexOf(Buffer.from('PK\x01\x02', 'latin1')) + 24);
    expect(parseXlsx(small).pages).toEqual([]);
  });

  test('paths and files outside are never followed', () => {
    const rels = (target: string) =>
      `<Relationships><Relationship Id="rId1" TargetMode="External" Target="${target}"/></Relationships>`;
    const files = {
      'ppt/presentation.xml':
        '<p:presentation xmlns:p="p" xmlns:r="r"><p:sldId id="256" r:id="rId1"/></p:presentation>',
      'ppt/_rels/presentation.xml.rels': rels('file:///etc/passwd'),
    };
    expect(parsePptx(zip(files)).pages).toEqual([{ page: 1, heading: null, text: '' }]);
  });
});

test('characters that XML names are read', () => {
  expect(parseXml('<a>1 &lt; 2 &amp; &#x41;&#66;</a>').children[0]?.text).toBe('1 < 2 & AB');
});

import { type ParsedDocument, UnreadableDocument } from '../parsed';
import { readZip } from './archive';
import { PAGE_BREAK, toSections } from './sections';
import { type Cell, joinHead, toGrid, toInline, toTable, toTableSections } from './table';
import { cleanText } from './text';
import { childOf, type Element, find, findAll, parseXml, textIn } from './xml';

const FILES = /^(?:content|meta|styles)\.xml$/;
/** A spreadsheet claims a million empty rows at its end. */
const MAX_REPEATED = 200;
const MAX_ROWS = 100_000;

/** OpenDocument (ISO/IEC 26300): texts with headings, lists and tables, sheets as tables, a page for each slide. */
export function parseOdf(content: Buffer): ParsedDocument {
  const files = readZip(content, FILES);
  const file = files.get('content.xml');
  const body = file && find(parseXml(file), 'body');
  if (!body) throw new UnreadableDocument('The OpenDocument file is damaged and cannot be read.');
  const meta = files.get('meta.xml');
  const title = (meta && find(parseXml(meta), 'title')?.text.trim().slice(0, 200)) || null;
  const sheet = childOf(body, 'spreadsheet');
  if (sheet) return { title, pageKind: 'section', pages: toSheets(sheet), notice: null };
  const slides = childOf(body, 'presentation');
  if (slides) return { title, pageKind: 'page', pages: toSlides(slides), notice: null };
  const text = childOf(body, 'text') ?? body;
  return toSections(readBlocks(text).join('\n\n'), { title });
}

function toSheets(sheet: Element): ParsedDocument['pages'] {
  const pages: ParsedDocument['pages'] = [];
  for (const table of sheet.children.filter(({ name }) => name === 'table')) {
    const heading = table.attributes['table:name'] ?? `Sheet ${pages.length + 1}`;
    for (const section of toTableSections(toGrid(readRows(table)))) {
      pages.push({ page: pages.length + 1, heading, text: cleanText(`## ${heading}\n\n${section}`) });
    }
  }
  return pages;
}

function toSlides(presentation: Element): ParsedDocument['pages'] {
  return findAll(presentation, 'page').map((page, index) => {
    const blocks = readBlocks({ ...page, children: page.children.filter(({ name }) => name !== 'notes') });
    const notes = childOf(page, 'notes');
    const spoken = notes ? readBlocks(notes).join('\n') : '';
    const text = [...blocks, spoken && `Notes: ${spoken}`].filter(Boolean).join('\n\n');
    return { page: index + 1, heading: blocks[0]?.slice(0, 160) ?? null, text: cleanText(text) };
  });
}

function readBlocks(parent: Element): string[] {
  const blocks: string[] = [];
  const read = (element: Element, listDepth: number, numbered: string) => {
    for (const child of element.children) {
      switch (child.name) {
        case 'h': {
          const level = Math.min(6, Math.max(1, Number(child.attributes['text:outline-level'] ?? 1) || 1));
          const text = lineOf(child);
          if (text !== '') blocks.push(`${'#'.repeat(level)} ${text}`);
          break;
        }
        case 'p': {
          const text = lineOf(child);
          if (text !== '')
            blocks.push(listDepth > 0 ? `${'  '.repeat(listDepth - 1)}${numbered || '-'} ${text}` : text);
          break;
        }
        case 'list':
          read(child, listDepth + 1, '');
          break;
        case 'table':
          blocks.push(toTable(tableOf(child)));
          break;
        case 'soft-page-break':
          blocks.push(PAGE_BREAK);
          break;
        // What was deleted by a tracked change, and what the application makes itself.
        case 'tracked-changes':
        case 'table-of-content':
          break;
        default:
          read(child, listDepth, numbered);
      }
    }
  };
  read(parent, 0, '');
  return blocks.filter((block) => block !== '');
}

function tableOf(table: Element): string[][] {
  const heads = findAll(table, 'table-header-rows').flatMap((head) => readRows(head)).length;
  return joinHead(toGrid(readRows(table)), heads);
}

function readRows(table: Element): Cell[][] {
  const rows: Cell[][] = [];
  const read = (element: Element) => {
    for (const child of element.children) {
      if (rows.length >= MAX_ROWS) return;
      if (child.name === 'table-row') {
        const cells = readCells(child);
        const repeated = Math.min(MAX_REPEATED, Number(child.attributes['table:number-rows-repeated'] ?? 1) || 1);
        const used = cells.some(({ text }) => text !== '');
        for (let copy = 0; copy < (used ? repeated : 1); copy++) rows.push(cells);
      } else if (/^table-(?:header-rows|rows|row-group)$/.test(child.name)) read(child);
    }
  };
  read(table);
  return rows;
}

function readCells(row: Element): Cell[] {
  const cells: Cell[] = [];
  for (const cell of row.children) {
    // A covered cell belongs to one that reaches over it, which the grid repeats.
    if (cell.name !== 'table-cell') continue;
    const inner = cell.children
      .filter(({ name }) => name === 'table')
      .map((table) => toInline(toGrid(readRows(table))));
    const text = [...cell.children.filter(({ name }) => name === 'p' || name === 'h').map(lineOf), ...inner]
      .join(' ')
      .trim();
    const repeated = Math.min(MAX_REPEATED, Number(cell.attributes['table:number-columns-repeated'] ?? 1) || 1);
    const columns = Number(cell.attributes['table:number-columns-spanned'] ?? 1) || 1;
    const rows = Number(cell.attributes['table:number-rows-spanned'] ?? 1) || 1;
    for (let copy = 0; copy < repeated; copy++) cells.push({ text, columns, rows });
  }
  while (cells.length > 0 && cells.at(-1)?.text === '') cells.pop();
  return cells;
}

/** The text of a paragraph, with tabs and blanks as OpenDocument writes them. */
function lineOf(element: Element): string {
  const read = ({ name, text, children, attributes }: Element): string => {
    if (name === 's') return ' '.repeat(Math.min(100, Number(attributes['text:c'] ?? 1) || 1));
    if (name === 'tab' || name === 'line-break') return ' ';
    if (name === 'note')
      return ` (${textIn(childOf({ name, text, children, attributes }, 'note-body') ?? { name, text: '', children: [], attributes }).trim()}) `;
    if (name === 'annotation') return '';
    return children.length === 0 ? text : children.map(read).join('');
  };
  return read(element).replace(/\s+/g, ' ').trim();
}

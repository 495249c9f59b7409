import { type ParsedDocument, UnreadableDocument } from '../parsed';
import { readZip } from './archive';
import { relationId, relations, titleOf } from './office';
import { toTableSections } from './table';
import { cleanText } from './text';
import { type Element, eachElement, find, findAll, parseXml } from './xml';

const WORKBOOK = 'xl/workbook.xml';
const FILES =
  /^(?:xl\/(?:_rels\/)?workbook\.xml(?:\.rels)?|xl\/(?:sharedStrings|styles)\.xml|xl\/worksheets\/[^/]+\.xml|docProps\/core\.xml)$/;
/** Cells beyond are left out, and the reader is told. */
const MAX_CELLS = 400_000;
const MAX_COLUMNS = 500;
const DAYS_TO_1904 = 1_462;

/** What cells refer to. */
interface Workbook {
  strings: readonly string[];
  /** For each cell style, whether its numbers are days or times. */
  dates: readonly boolean[];
  /** Days of old Macintosh workbooks count from 1904. */
  from1904: boolean;
}

/** Each sheet as tables of at most 200 rows; cells show their values, formulas their last result. */
export function parseXlsx(content: Buffer): ParsedDocument {
  const files = readZip(content, FILES);
  const workbook = files.get(WORKBOOK);
  if (!workbook) throw new UnreadableDocument('The workbook is damaged and cannot be read.');
  const targets = relations(files, WORKBOOK);
  const shared = {
    strings: readStrings(files.get('xl/sharedStrings.xml')),
    dates: readDates(files.get('xl/styles.xml')),
    from1904: /^(?:1|true)$/.test(find(parseXml(workbook), 'workbookPr')?.attributes['date1904'] ?? ''),
  };
  const pages: ParsedDocument['pages'] = [];
  let room = MAX_CELLS;
  let cut = false;
  for (const { attributes } of findAll(parseXml(workbook), 'sheet')) {
    const sheet = files.get(targets.get(relationId(attributes)) ?? '');
    if (!sheet) continue;
    const { rows, cells, whole } = readRows(sheet, shared, room);
    room -= cells;
    cut ||= !whole;
    const name = attributes['name'] ?? `Sheet ${pages.length + 1}`;
    for (const table of toTableSections(rows)) {
      pages.push({ page: pages.length + 1, heading: name, text: cleanText(`## ${name}\n\n${table}`) });
    }
  }
  const limits = `${MAX_CELLS.toLocaleString('en')} cells and ${MAX_COLUMNS} columns`;
  const notice = cut ? `Only the first ${limits} are searched.` : null;
  return { title: titleOf(files), pageKind: 'section', pages, notice };
}

function readStrings(file: string | undefined): string[] {
  if (!file) return [];
  return findAll(parseXml(file), 'si').map((item) =>
    // Phonetic guides repeat the text in another script.
    item.children
      .filter(({ name }) => name !== 'rPh')
      .map((child) =>
        child.name === 't'
          ? child.text
          : findAll(child, 't')
              .map(({ text }) => text)
              .join(''),
      )
      .join(''),
  );
}

/** Built-in formats 14 to 22 and 45 to 47 are dates and times, and so are own ones that spell one out (ECMA-376 18.8.30). */
function readDates(file: string | undefined): boolean[] {
  if (!file) return [];
  const styles = parseXml(file);
  const own = new Map(
    findAll(styles, 'numFmt').map(({ attributes }) => [attributes['numFmtId'], attributes['formatCode'] ?? '']),
  );
  const formats = find(styles, 'cellXfs');
  return (formats ? formats.children : []).map(({ attributes }) => {
    const id = Number(attributes['numFmtId'] ?? 0);
    if ((id >= 14 && id <= 22) || (id >= 45 && id <= 47)) return true;
    const code = own.get(attributes['numFmtId'])?.replace(/"[^"]*"|\[[^\]]*\]|\\./g, '');
    return code !== undefined && /[dyhs]|m{3}/i.test(code);
  });
}

/** Rows of up to `room` cells; `whole` when nothing is left out. */
function readRows(sheet: string, workbook: Workbook, room: number) {
  const rows: string[][] = [];
  let cells = 0;
  let whole = true;
  for (const { children } of eachElement(sheet, 'row')) {
    const row: string[] = [];
    for (const cell of children) {
      if (cell.name !== 'c') continue;
      const column = columnOf(cell.attributes['r']) ?? row.length;
      if (column >= MAX_COLUMNS) {
        whole = false;
        break;
      }
      while (row.length < column) row.push('');
      row[column] = cellText(cell, workbook);
    }
    if (cells + row.length > room) return { rows, cells, whole: false };
    cells += row.length;
    rows.push(row);
  }
  return { rows, cells, whole };
}

/** `C7` is 2. */
function columnOf(reference: string | undefined): number | undefined {
  const letters = /^([A-Z]{1,3})\d/.exec(reference ?? '')?.[1];
  if (!letters) return undefined;
  return [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0) - 1;
}

function cellText(cell: Element, { strings, dates, from1904 }: Workbook): string {
  const { t: type, s: style } = cell.attributes;
  if (type === 'inlineStr')
    return findAll(cell, 't')
      .map(({ text }) => text)
      .join('');
  const value = cell.children.find(({ name }) => name === 'v')?.text ?? '';
  if (type === 's') return strings[Number(value)] ?? '';
  if (type === 'b') return value === '1' ? 'TRUE' : 'FALSE';
  if (type === 'str' || type === 'e' || value === '') return value;
  if (style !== undefined && dates[Number(style)])
    return toDate(Number(value) + (from1904 ? DAYS_TO_1904 : 0)) ?? value;
  // Binary fractions show as people typed them: 0.1, not 0.1000000000000000055.
  const number = Number(value);
  return Number.isFinite(number) ? String(Number(number.toPrecision(15))) : value;
}

/** Days since the end of 1899, the time of day as a fraction. */
function toDate(days: number): string | undefined {
  if (!Number.isFinite(days) || days < 0 || days > 2_958_466) return undefined;
  const text = new Date(Date.UTC(1899, 11, 30) + Math.round(days * 86_400) * 1_000).toISOString();
  if (days < 1) return text.slice(11, 19);
  return Number.isInteger(days) ? text.slice(0, 10) : text.slice(0, 16).replace('T', ' ');
}

import { format, isDateFormat } from 'numfmt';
import { joinNotices, type ParsedDocument, UnreadableDocument } from '../parsed';
import { readZip } from './archive';
import { mainPart, relationId, relations, titleOf } from './office';
import { toTableSections } from './table';
import { cleanText } from './text';
import { type Element, eachElement, find, findAll, parseXml } from './xml';

const WORKBOOK = 'xl/workbook.xml';
const FILES =
  /^(?:_rels\/\.rels|xl\/(?:_rels\/)?[^/]+\.xml(?:\.rels)?|xl\/worksheets\/[^/]+\.xml|docProps\/core\.xml)$/;
/** Cells beyond are left out, and the reader is told. */
const MAX_CELLS = 400_000;
const MAX_COLUMNS = 500;
/** Empty rows in a row that are kept. */
const MAX_GAP = 10_000;

/** What cells refer to. */
interface Workbook {
  strings: readonly string[];
  /** For each cell style, the code of its number format; undefined shows numbers as they are. */
  formats: readonly (string | number | undefined)[];
  /** Days of old Macintosh workbooks count from 1904. */
  from1904: boolean;
}

/** Each sheet that is shown as tables of at most 200 rows; cells read as Excel shows them, formulas their last result. */
export function parseXlsx(content: Buffer): ParsedDocument {
  const files = readZip(content, FILES);
  const path = mainPart(files, WORKBOOK);
  const workbook = files.get(path);
  if (!workbook) throw new UnreadableDocument('The workbook is damaged and cannot be read.');
  const targets = relations(files, path);
  const part = (name: string) =>
    files.get([...targets.values()].find((target) => target.endsWith(`/${name}.xml`)) ?? `xl/${name}.xml`);
  const shared = {
    strings: readStrings(part('sharedStrings')),
    formats: readFormats(part('styles')),
    from1904: /^(?:1|true)$/.test(find(parseXml(workbook), 'workbookPr')?.attributes['date1904'] ?? ''),
  };
  const pages: ParsedDocument['pages'] = [];
  let room = MAX_CELLS;
  let cut = false;
  const hidden: string[] = [];
  for (const { attributes } of findAll(parseXml(workbook), 'sheet')) {
    const sheet = files.get(targets.get(relationId(attributes)) ?? '');
    if (!sheet) continue;
    if (/^(?:very)?hidden$/i.test(attributes['state'] ?? '')) {
      hidden.push(attributes['name'] ?? 'unnamed');
      continue;
    }
    const { rows, cells, whole } = readRows(sheet, shared, room);
    room -= cells;
    cut ||= !whole;
    const name = attributes['name'] ?? `Sheet ${pages.length + 1}`;
    for (const table of toTableSections(withMerged(rows, sheet))) {
      pages.push({ page: pages.length + 1, heading: name, text: cleanText(`## ${name}\n\n${table}`) });
    }
  }
  const limits = `${MAX_CELLS.toLocaleString('en')} cells and ${MAX_COLUMNS} columns`;
  const notices = [
    cut && `Only the first ${limits} are searched.`,
    hidden.length > 0 && `Hidden sheets were left out: ${hidden.slice(0, 10).join(', ')}.`,
  ];
  return { title: titleOf(files), pageKind: 'section', pages, notice: joinNotices(...notices) };
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

/** Built-in formats that are dates and times in the order of the reader's country: here as ISO 8601 (ECMA-376 18.8.30). */
const BUILT_IN_DATES: Record<number, string> = {
  14: 'yyyy-mm-dd',
  15: 'd-mmm-yy',
  16: 'd-mmm',
  17: 'mmm-yy',
  22: 'yyyy-mm-dd hh:mm',
};

function readFormats(file: string | undefined): (string | number | undefined)[] {
  if (!file) return [];
  const styles = parseXml(file);
  const own = new Map(
    findAll(styles, 'numFmt').map(({ attributes }) => [attributes['numFmtId'], attributes['formatCode'] ?? '']),
  );
  return (find(styles, 'cellXfs')?.children ?? []).map(({ attributes }) => {
    const id = Number(attributes['numFmtId'] ?? 0);
    const code = own.get(attributes['numFmtId']) ?? BUILT_IN_DATES[id];
    return code === 'General' || (code === undefined && id === 0) ? undefined : (code ?? id);
  });
}

const MAX_MERGED = 20_000;

/** A value of merged cells stands in each of them. */
function withMerged(rows: readonly (readonly string[])[], sheet: string): string[][] {
  const filled = rows.map((row) => [...row]);
  let count = 0;
  for (const [, from = '', to = ''] of sheet.matchAll(
    /<(?:\w+:)?mergeCell\s[^<>]{0,100}?ref="([A-Z]{1,3}\d{1,7}):([A-Z]{1,3}\d{1,7})"/g,
  )) {
    const [left, right] = [columnOf(from) ?? 0, columnOf(to) ?? 0];
    const [top, bottom] = [rowOf(from), rowOf(to)];
    const value = filled[top]?.[left] ?? '';
    if (value === '') continue;
    for (let row = top; row <= Math.min(bottom, filled.length - 1); row++) {
      const cells = filled[row] as string[];
      for (let column = left; column <= Math.min(right, MAX_COLUMNS - 1); column++) {
        if (++count > MAX_MERGED) return filled;
        while (cells.length <= column) cells.push('');
        if (cells[column] === '') cells[column] = value;
      }
    }
  }
  return filled;
}

/** `C7` is 6. */
const rowOf = (reference: string): number => Number(/(?<!\d)\d+$/.exec(reference)?.[0] ?? 1) - 1;

/** Rows of up to `room` cells; `whole` when nothing is left out. */
function readRows(sheet: string, workbook: Workbook, room: number) {
  const rows: string[][] = [];
  let cells = 0;
  let whole = true;
  for (const { children, attributes } of eachElement(sheet, 'row')) {
    const row: string[] = [];
    // Rows that hold nothing are not written; merged cells count them.
    const place = Number(attributes['r'] ?? rows.length + 1) - 1;
    const until = Math.min(place, rows.length + MAX_GAP);
    while (rows.length < until) rows.push([]);
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

function cellText(cell: Element, { strings, formats, from1904 }: Workbook): string {
  const { t: type, s: style } = cell.attributes;
  if (type === 'inlineStr')
    return findAll(cell, 't')
      .map(({ text }) => text)
      .join('');
  const value = cell.children.find(({ name }) => name === 'v')?.text ?? '';
  if (type === 's') return strings[Number(value)] ?? '';
  if (type === 'b') return value === '1' ? 'TRUE' : 'FALSE';
  // A date in the form of ISO 8601.
  if (type === 'str' || type === 'e' || type === 'd' || value === '') return value;
  const number = Number(value);
  if (!Number.isFinite(number)) return value;
  const code = formats[Number(style ?? -1)];
  if (code !== undefined) {
    const shown = formatted(number, code, from1904);
    if (shown !== undefined) return shown;
  }
  // Binary fractions show as people typed them: 0.1, not 0.1000000000000000055.
  return String(Number(number.toPrecision(15)));
}

/** A number as Excel shows it; undefined for a format that cannot be read. */
function formatted(value: number, code: string | number, from1904: boolean): string | undefined {
  try {
    // A format of several forms that the reader does not know must not lose the value.
    const shown = format(code as string, from1904 && isDateFormat(code as string) ? value + DAYS_TO_1904 : value, {
      throws: true,
    }).trim();
    return shown === '' ? undefined : shown;
  } catch {
    return undefined;
  }
}

const DAYS_TO_1904 = 1_462;

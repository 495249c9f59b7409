import { type ParsedDocument, UnreadableDocument } from '../parsed';
import { readZip } from './archive';
import { readMath } from './docx-math';
import { Numbering } from './docx-numbering';
import { Styles } from './docx-styles';
import { isOn, mainPart, relations, titleOf } from './office';
import { PAGE_BREAK, toSections } from './sections';
import { type Cell, joinHead, toGrid, toInline, toTable } from './table';
import { childOf, type Element, find, findAll, parseXml } from './xml';

const FILES = /^(?:_rels\/\.rels|docProps\/core\.xml|word\/[^/]+\.xml|word\/_rels\/[^/]+\.rels)$/;
/** A bold line of its own is a heading in a document that has no other headings. */
const MAX_BOLD_HEADING = 120;
const MAX_HEADING_LEVEL = 6;
/** The title of a document stands among its first paragraphs. */
const TITLE_BLOCKS = 40;

/**
 * A Word document as Markdown, without its pictures: headings and list items with the numbers that Word makes, tables
 * with merged cells written out, fields, formulas, notes, comments, heads and feet. What was deleted by a tracked
 * change is left out; hidden text is read, since tools for requirements hide their identifiers so.
 */
export function parseDocx(content: Buffer): ParsedDocument {
  const files = readZip(content, FILES);
  const path = mainPart(files, 'word/document.xml');
  const main = files.get(path);
  if (!main) throw new UnreadableDocument('The Word document is damaged and cannot be read.');
  const parts = [...relations(files, path).values()];
  const part = (name: string) =>
    files.get(parts.find((target) => target.endsWith(`/${name}.xml`)) ?? `word/${name}.xml`);
  const styles = new Styles(part('styles'));
  const reader = new BodyReader(styles, new Numbering(part('numbering'), styles), {
    footnote: readNotes(part('footnotes'), 'footnote'),
    endnote: readNotes(part('endnotes'), 'endnote'),
    comment: readNotes(part('comments'), 'comment'),
  });
  const body = find(parseXml(main), 'body');
  if (!body) throw new UnreadableDocument('The Word document is damaged and cannot be read.');
  const blocks = reader.read(body);
  const margins = parts
    .filter((target) => /\/(?:header|footer)\d*\.xml$/.test(target))
    .flatMap((target) => marginLines(files.get(target)));
  if (margins.length > 0) blocks.push(`Page heads and feet: ${[...new Set(margins)].join(' · ')}`);
  const parsed = toSections(blocks.join('\n\n'));
  const property = titleOf(files);
  // A property often is the title of the document that this one was made from.
  const stated = property !== null && blocks.slice(0, TITLE_BLOCKS).some((block) => block.includes(property));
  return { ...parsed, title: reader.title ?? (stated ? property : (parsed.title ?? property)) };
}

/** The lines of a page head or foot, without page numbers. */
function marginLines(file: string | undefined): string[] {
  if (!file) return [];
  return findAll(parseXml(file), 'p')
    .map((paragraph) =>
      findAll(paragraph, 't')
        .map(({ text }) => text)
        .join('')
        .trim(),
    )
    .filter((line) => /\p{L}/u.test(line));
}

type NoteKind = 'footnote' | 'endnote' | 'comment';

function readNotes(file: string | undefined, kind: NoteKind): Map<string, string> {
  if (!file) return new Map();
  return new Map(
    findAll(parseXml(file), kind).map((note) => [
      note.attributes['w:id'] ?? '',
      findAll(note, 't')
        .map(({ text }) => text)
        .join('')
        .trim(),
    ]),
  );
}

class BodyReader {
  /** The first paragraph in the style of titles. */
  title: string | null = null;
  /** Notes that belong under the block being read. */
  private notes: string[] = [];

  constructor(
    private readonly styles: Styles,
    private readonly numbering: Numbering,
    private readonly texts: Record<NoteKind, ReadonlyMap<string, string>>,
  ) {}

  read(body: Element): string[] {
    const boldHeads = !this.hasHeadings(body);
    const blocks: string[] = [];
    const add = (block: string) => {
      if (block !== '') blocks.push(block);
      if (this.notes.length > 0) blocks.push(...this.notes.splice(0));
    };
    const walk = (parent: Element) => {
      for (const child of parent.children) {
        if (child.name === 'p') add(this.paragraph(child, boldHeads));
        else if (child.name === 'tbl') add(this.table(child));
        else if (CONTAINERS.has(child.name)) walk(child);
      }
    };
    walk(body);
    return blocks;
  }

  private hasHeadings(body: Element): boolean {
    return findAll(body, 'p').some((paragraph) => this.styles.headingLevel(paragraph) !== undefined);
  }

  private paragraph(paragraph: Element, boldHeads: boolean): string {
    const { text, bold } = this.inline(paragraph);
    const label = this.numbering.labelOf(paragraph, text.trim() !== '');
    const line = text.trim();
    if (line === '') return text.includes(PAGE_BREAK) ? PAGE_BREAK : '';
    if (this.styles.isTitle(paragraph)) this.title ??= line.replace(/\s+/g, ' ').slice(0, 200);
    const level = this.styles.headingLevel(paragraph);
    const numbered = [label?.text, line].filter(Boolean).join(' ');
    if (level !== undefined)
      return `${'#'.repeat(Math.min(level, MAX_HEADING_LEVEL))} ${numbered.replace(/\s+/g, ' ')}`;
    if (label) return `${'  '.repeat(label.level)}${label.text === '' ? `- ${line}` : numbered}`;
    if (boldHeads && bold && line.length <= MAX_BOLD_HEADING && !/[.:;,]$/.test(line)) return `### ${line}`;
    return line;
  }

  private table(table: Element): string {
    const rows = tableRows(table);
    const heads = rows.filter((row) => childOf(childOf(row, 'trPr'), 'tblHeader')).length;
    return toTable(joinHead(toGrid(mergedDown(rows, (cell) => this.cell(cell))), heads));
  }

  /** The text of a cell on one line; tables in it as lists. */
  private cell(cell: Element): string {
    const parts: string[] = [];
    const walk = (parent: Element) => {
      for (const child of parent.children) {
        if (child.name === 'p') parts.push(this.paragraph(child, false).replaceAll(PAGE_BREAK, ' '));
        else if (child.name === 'tbl') {
          const inner = mergedDown(tableRows(child), (innermost) => this.cell(innermost));
          parts.push(toInline(inner.map((row) => row.map(({ text }) => text))));
        } else if (CONTAINERS.has(child.name)) walk(child);
      }
    };
    walk(cell);
    parts.push(...this.notes.splice(0));
    return parts.filter((part) => part.trim() !== '').join(' ');
  }

  /** The text of a paragraph's runs, and whether all of it is bold. */
  private inline(paragraph: Element): { text: string; bold: boolean } {
    let text = '';
    let bold = true;
    const add = (piece: string, isBold: boolean) => {
      if (piece.trim() !== '' && piece !== PAGE_BREAK && !isBold) bold = false;
      text += piece;
    };
    const run = (element: Element) => {
      const properties = childOf(element, 'rPr');
      const isBold = isOn(childOf(properties, 'b'));
      for (const child of element.children) {
        const piece = this.piece(child);
        if (piece !== undefined) add(piece, isBold);
        else if (child.name === 'AlternateContent') alternate(child);
        else if (child.name === 'drawing' || child.name === 'pict' || child.name === 'object') boxes(child);
      }
    };
    /** Text boxes stand beside the text; each is written in two forms of which one is enough. */
    const boxes = (element: Element) => {
      for (const box of findAll(element, 'txbxContent')) add(` ${this.cell(box)} `, false);
    };
    const alternate = (element: Element) => {
      const choices = element.children.filter(({ name }) => name === 'Choice' || name === 'Fallback');
      const chosen = choices.find((choice) => findAll(choice, 't').length > 0) ?? choices[0];
      for (const child of chosen?.children ?? []) {
        if (child.name === 'r') run(child);
        else boxes(child);
      }
    };
    const walk = (parent: Element) => {
      for (const child of parent.children) {
        if (child.name === 'r') run(child);
        else if (child.name === 'oMath' || child.name === 'oMathPara') add(readMath(child), false);
        else if (child.name === 'AlternateContent') alternate(child);
        else if (INLINE.has(child.name)) walk(child);
      }
    };
    walk(paragraph);
    return { text, bold };
  }

  /** What one element of a run writes; undefined for those that hold others. */
  private piece({ name, text, attributes }: Element): string | undefined {
    switch (name) {
      case 't':
        return text;
      case 'tab':
      case 'ptab':
        return ' ';
      case 'br':
        return attributes['w:type'] === 'page' ? PAGE_BREAK : '\n';
      case 'lastRenderedPageBreak':
        return PAGE_BREAK;
      case 'cr':
        return '\n';
      case 'noBreakHyphen':
        return '-';
      case 'sym':
        return symbol(attributes['w:char']);
      case 'footnoteReference':
        return this.note('footnote', attributes['w:id'], 'Note');
      case 'endnoteReference':
        return this.note('endnote', attributes['w:id'], 'Note');
      case 'commentReference':
        return this.note('comment', attributes['w:id'], 'Comment');
      default:
        return undefined;
    }
  }

  private note(kind: NoteKind, id: string | undefined, label: string): string {
    const text = this.texts[kind].get(id ?? '');
    if (text) this.notes.push(`${label}: ${text}`);
    return '';
  }
}

/** What holds blocks, and nothing of its own. */
const CONTAINERS = new Set(['sdt', 'sdtContent', 'ins', 'moveTo', 'customXml', 'smartTag', 'txbxContent']);
/** What holds runs. Of a tracked change the new text counts. */
const INLINE = new Set([
  'hyperlink',
  'ins',
  'moveTo',
  'sdt',
  'sdtContent',
  'fldSimple',
  'smartTag',
  'customXml',
  'dir',
  'bdo',
]);

const tableRows = (table: Element): Element[] =>
  table.children.flatMap((child) =>
    child.name === 'tr' ? [child] : CONTAINERS.has(child.name) ? tableRows(child) : [],
  );

const cellsOf = (row: Element): Element[] =>
  row.children.flatMap((child) => (child.name === 'tc' ? [child] : CONTAINERS.has(child.name) ? cellsOf(child) : []));

/** Cells that go on from the row above repeat what stands there. */
function mergedDown(rows: readonly Element[], textOf: (cell: Element) => string): Cell[][] {
  let above = new Map<number, string>();
  return rows.map((row) => {
    const current = new Map<number, string>();
    const properties = childOf(row, 'trPr');
    const skipped = Number(childOf(properties, 'gridBefore')?.attributes['w:val'] ?? 0);
    let column = 0;
    const cells: Cell[] = [];
    if (skipped > 0 && skipped < 100) {
      cells.push({ text: '', columns: skipped });
      column = skipped;
    }
    for (const cell of cellsOf(row)) {
      const tcPr = childOf(cell, 'tcPr');
      const columns = Math.max(1, Number(childOf(tcPr, 'gridSpan')?.attributes['w:val'] ?? 1) || 1);
      const merge = childOf(tcPr, 'vMerge');
      const goesOn = merge !== undefined && merge.attributes['w:val'] !== 'restart';
      const text = goesOn ? (above.get(column) ?? textOf(cell)) : textOf(cell);
      if (merge) current.set(column, text);
      cells.push({ text, columns });
      column += columns;
    }
    above = current;
    return cells;
  });
}

/** A character of a symbol font; those of the private area have no meaning outside of it. */
function symbol(code: string | undefined): string {
  const value = Number.parseInt(code ?? '', 16);
  if (!Number.isFinite(value) || value <= 0 || value > 0xffff) return '';
  return value >= 0xf000 && value <= 0xf0ff ? (SYMBOLS[value - 0xf000] ?? '') : String.fromCharCode(value);
}

/** Of the font Symbol, what engineers write with it. */
const SYMBOLS: Record<number, string> = {
  97: 'α',
  98: 'β',
  99: 'χ',
  100: 'δ',
  101: 'ε',
  102: 'φ',
  103: 'γ',
  104: 'η',
  107: 'κ',
  108: 'λ',
  109: 'μ',
  110: 'ν',
  112: 'π',
  113: 'θ',
  114: 'ρ',
  115: 'σ',
  116: 'τ',
  119: 'ω',
  68: 'Δ',
  83: 'Σ',
  87: 'Ω',
  163: '≤',
  179: '≥',
  176: '°',
  177: '±',
  180: '×',
  183: '•',
  185: '≠',
  187: '≈',
  174: '→',
  165: '∞',
  214: '√',
  215: '·',
};

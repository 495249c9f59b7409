import { UnreadableDocument } from '../parsed';
import { PAGE_BREAK } from './sections';
import { type Cell, joinHead, toGrid, toInline, toTable } from './table';

/** Deeper nesting is no document: recursion stays safe. */
const MAX_DEPTH = 400;
const SKIPPED = new Set(
  'SCRIPT STYLE NOSCRIPT TEMPLATE SVG IFRAME OBJECT EMBED CANVAS HEAD TITLE LINK META BUTTON SELECT DIALOG'.split(' '),
);
const BLOCKS = new Set(
  'ADDRESS ARTICLE ASIDE BLOCKQUOTE BODY CENTER DD DETAILS DIV DL DT FIELDSET FIGCAPTION FIGURE FORM HEADER HGROUP HTML MAIN P SECTION SUMMARY CAPTION LEGEND'.split(
    ' ',
  ),
);
const HIDING = /(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)/i;

export interface ReadHtml {
  markdown: string;
  /** Kinds of content that were left out, for the notice. */
  leftOut: string[];
}

/** HTML to Markdown: headings, lists, tables with spans written out, code. Nothing is escaped: the words are the document's. */
export function readHtml(root: Element): ReadHtml {
  const reader = new HtmlReader();
  reader.block(root, 0);
  return { markdown: reader.blocks.join('\n\n'), leftOut: [...reader.leftOut] };
}

class HtmlReader {
  readonly blocks: string[] = [];
  readonly leftOut = new Set<string>();
  /** Inline text that waits for the end of its block. */
  private line = '';
  private readonly lists: { ordered: boolean; next: number }[] = [];

  /** Reads what an element holds. */
  block(element: Element, depth: number): void {
    if (depth > MAX_DEPTH) throw new UnreadableDocument('The file is nested too deeply to be a document.');
    for (const node of element.childNodes) {
      if (node.nodeType === 3) this.line += (node.textContent ?? '').replace(/\s+/g, ' ');
      else if (node.nodeType === 1) this.element(node as Element, depth + 1);
    }
  }

  private element(element: Element, depth: number): void {
    const name = element.tagName.toUpperCase();
    if (this.isLeftOut(element, name)) return;
    const heading = /^H([1-6])$/.exec(name)?.[1];
    if (heading) {
      this.flush();
      const text = this.inline(element, depth);
      if (text !== '') this.blocks.push(`${'#'.repeat(Number(heading))} ${text}`);
    } else if (name === 'PRE') {
      this.flush();
      const text = (element.textContent ?? '').replace(/^\n/, '').trimEnd();
      if (text !== '') this.blocks.push(`\`\`\`\n${text}\n\`\`\``);
    } else if (name === 'TABLE') {
      this.flush();
      const table = this.table(element, depth);
      if (table !== '') this.blocks.push(table);
    } else if (name === 'UL' || name === 'OL') this.list(element, name === 'OL', depth);
    else if (name === 'LI') this.item(element, depth);
    else if (name === 'BR') this.line = `${this.line.trimEnd()}\n`;
    else if (name === 'HR') this.flush();
    else if (name === 'IMG') this.line += element.getAttribute('alt') ?? '';
    else if (name === 'SUP' || name === 'SUB') this.script(element, name === 'SUP', depth);
    else if (BLOCKS.has(name)) {
      this.flush();
      if (/page-break-before\s*:\s*always/i.test(element.getAttribute('style') ?? '')) this.blocks.push(PAGE_BREAK);
      this.block(element, depth);
      this.flush();
    } else this.block(element, depth);
  }

  private isLeftOut(element: Element, name: string): boolean {
    if (SKIPPED.has(name)) return true;
    if (name === 'NAV' || element.getAttribute('role') === 'navigation') this.leftOut.add('navigation');
    else if (name === 'FOOTER') this.leftOut.add('page feet');
    else if (element.hasAttribute('hidden') || HIDING.test(element.getAttribute('style') ?? ''))
      this.leftOut.add('hidden parts');
    else return false;
    return true;
  }

  /** `10^-3` and `H_2O` keep their meaning on a line; a short word such as a note's number stays as it is. */
  private script(element: Element, up: boolean, depth: number): void {
    const before = this.line;
    this.block(element, depth);
    const text = this.line.slice(before.length);
    if (/^[-−+]?\d+$/.test(text.trim()) && /[\p{L}\p{N})]$/u.test(before))
      this.line = `${before}${up ? '^' : '_'}${text.trim()}`;
  }

  private list(element: Element, ordered: boolean, depth: number): void {
    this.flush();
    const start = Number(element.getAttribute('start') ?? 1);
    this.lists.push({ ordered, next: Number.isInteger(start) ? start : 1 });
    this.block(element, depth);
    this.flush();
    this.lists.pop();
  }

  private item(element: Element, depth: number): void {
    this.flush();
    const list = this.lists.at(-1);
    const indent = '  '.repeat(Math.max(0, this.lists.length - 1));
    const sign = list?.ordered ? `${list.next++}.` : '-';
    const from = this.blocks.length;
    this.block(element, depth);
    this.flush();
    const first = this.blocks[from];
    if (first !== undefined) this.blocks[from] = `${indent}${sign} ${first.trimStart()}`;
  }

  /** The text of an element on one line. */
  private inline(element: Element, depth: number): string {
    const inner = new HtmlReader();
    inner.block(element, depth);
    inner.flush();
    for (const kind of inner.leftOut) this.leftOut.add(kind);
    return inner.blocks.join(' ').replace(/\s+/g, ' ').trim();
  }

  private table(table: Element, depth: number): string {
    const rows = rowsOf(table);
    const read = rows.map((row) =>
      cellsOf(row).map((cell): Cell => {
        const inner = [...cell.children].filter((child) => child.tagName === 'TABLE');
        const text = inner.length > 0 ? this.nested(cell, depth + 1) : this.inline(cell, depth + 1);
        return { text, columns: span(cell, 'colspan'), rows: span(cell, 'rowspan') };
      }),
    );
    const bodyAt = rows.findIndex(
      (row) => cellsOf(row).some((cell) => cell.tagName === 'TD') && row.parentElement?.tagName !== 'THEAD',
    );
    const heads = bodyAt < 0 ? 1 : bodyAt;
    return toTable(joinHead(toGrid(read), heads));
  }

  /** A cell that holds tables, as those of layout do. */
  private nested(cell: Element, depth: number): string {
    if (depth > MAX_DEPTH) throw new UnreadableDocument('The file is nested too deeply to be a document.');
    const parts = [...cell.childNodes].map((node) => {
      if (node.nodeType === 3) return (node.textContent ?? '').trim();
      const element = node as Element;
      if (node.nodeType !== 1) return '';
      if (element.tagName !== 'TABLE') return this.inline(element, depth + 1);
      return toInline(rowsOf(element).map((row) => cellsOf(row).map((inner) => this.nested(inner, depth + 1))));
    });
    return parts.filter((part) => part !== '').join(' ');
  }

  private flush(): void {
    const text = this.line
      .split('\n')
      .map((line) => line.trim())
      .join('\n')
      .trim();
    this.line = '';
    if (text !== '') this.blocks.push(text);
  }
}

const rowsOf = (table: Element): Element[] =>
  [...table.children].flatMap((child) =>
    child.tagName === 'TR' ? [child] : /^T(?:HEAD|BODY|FOOT)$/.test(child.tagName) ? rowsOf(child) : [],
  );

const cellsOf = (row: Element): Element[] =>
  [...row.children].filter(({ tagName }) => tagName === 'TD' || tagName === 'TH');

function span(cell: Element, name: 'colspan' | 'rowspan'): number {
  const value = Number(cell.getAttribute(name) ?? 1);
  return Number.isInteger(value) && value > 0 ? value : 1;
}

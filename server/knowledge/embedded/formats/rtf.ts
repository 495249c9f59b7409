import { type ParsedDocument, UnreadableDocument } from '../parsed';
import { PAGE_BREAK, toSections } from './sections';
import { toTable } from './table';

/** Groups that hold no text of the document. */
const SKIPPED = new Set(
  'fonttbl colortbl stylesheet info pict object listtable listoverridetable rsidtbl generator themedata colorschememapping latentstyles datastore xmlnstbl mmathPr fldinst filetbl revtbl header headerl headerr headerf footer footerl footerr footerf'.split(
    ' ',
  ),
);
const SIGNS: Record<string, string> = {
  par: '\n\n',
  sect: '\n\n',
  line: '\n',
  tab: ' ',
  emdash: '—',
  endash: '–',
  lquote: '‘',
  rquote: '’',
  ldblquote: '“',
  rdblquote: '”',
  bullet: '•',
  emspace: ' ',
  enspace: ' ',
  '~': ' ',
  _: '-',
  page: `\n\n${PAGE_BREAK}\n\n`,
};
const MAX_DEPTH = 1_000;
/** A control word with its number, a character by its code, or a control sign. */
const CONTROL = /\\(?:([a-z]{1,32})(-?\d{1,10})? ?|'([0-9a-fA-F]{2})|([^a-zA-Z']))/y;

interface Group {
  skipped: boolean;
  /** Characters that follow one of `\u` for readers that do not know it. */
  fallback: number;
}

/** The text of an RTF file (Rich Text Format 1.9.1) with its paragraphs and the rows of its tables. */
export function parseRtf(content: Buffer): ParsedDocument {
  const rtf = content.toString('latin1');
  if (!rtf.startsWith('{\\rtf')) throw new UnreadableDocument('The RTF file is damaged and cannot be read.');
  return toSections(readRtf(rtf));
}

function readRtf(rtf: string): string {
  const out = new RtfText(encodingOf(rtf));
  const groups: Group[] = [];
  let group: Group = { skipped: false, fallback: 1 };
  let toSkip = 0;
  for (let at = 0; at < rtf.length; ) {
    const sign = rtf[at];
    if (sign === '{') {
      if (groups.length > MAX_DEPTH) throw new UnreadableDocument('The file is nested too deeply to be a document.');
      groups.push(group);
      group = { ...group };
      at += 1;
    } else if (sign === '}') {
      group = groups.pop() ?? group;
      toSkip = 0;
      at += 1;
    } else if (sign === '\\') {
      CONTROL.lastIndex = at;
      const control = CONTROL.exec(rtf);
      if (!control) {
        at += 1;
        continue;
      }
      at = CONTROL.lastIndex;
      const [, word, number, hex, other] = control;
      if (hex !== undefined) {
        if (toSkip > 0) toSkip -= 1;
        else if (!group.skipped) out.byte(Number.parseInt(hex, 16));
      } else if (word === 'u' && number !== undefined) {
        if (!group.skipped) out.character((Number(number) + 65_536) % 65_536);
        toSkip = group.fallback;
      } else if (word === 'uc') group.fallback = Math.min(10, Math.max(0, Number(number ?? 1)));
      else if (word === 'bin') at += Math.max(0, Number(number ?? 0));
      else if (other === '*' || (word !== undefined && SKIPPED.has(word))) group.skipped = true;
      else if (other === '\\' || other === '{' || other === '}') out.text(group.skipped ? '' : other);
      else if (!group.skipped) out.control(word ?? other ?? '', number);
    } else {
      // Line ends of the file are none of the text.
      let end = at + 1;
      while (end < rtf.length && !'{}\\\r\n'.includes(rtf[end] as string)) end += 1;
      const plain = sign === '\r' || sign === '\n' ? '' : rtf.slice(at, end);
      const kept = plain.slice(Math.min(toSkip, plain.length));
      toSkip -= plain.length - kept.length;
      if (!group.skipped) out.bytes(kept);
      at = sign === '\r' || sign === '\n' ? at + 1 : end;
    }
  }
  return out.end();
}

function encodingOf(rtf: string): string {
  const page = /\\ansicpg(\d{2,5})/.exec(rtf.slice(0, 2_000))?.[1];
  const label =
    page === '932'
      ? 'shift_jis'
      : page === '936'
        ? 'gb18030'
        : page === '949'
          ? 'euc-kr'
          : page === '950'
            ? 'big5'
            : `windows-${page ?? 1252}`;
  try {
    new TextDecoder(label);
    return label;
  } catch {
    return 'windows-1252';
  }
}

/** Collects text; bytes are decoded together, since some encodings take several for one character. */
class RtfText {
  private readonly parts: string[] = [];
  private pending: number[] = [];
  private row: string[] | undefined;
  private rows: string[][] = [];
  private cellFrom = 0;
  private readonly decoder: TextDecoder;

  constructor(encoding: string) {
    this.decoder = new TextDecoder(encoding);
  }

  byte(value: number): void {
    this.pending.push(value);
  }

  bytes(text: string): void {
    for (let index = 0; index < text.length; index++) this.pending.push(text.charCodeAt(index));
  }

  character(code: number): void {
    this.text(String.fromCharCode(code));
  }

  text(text: string): void {
    this.decode();
    if (text !== '') this.parts.push(text);
  }

  control(word: string, number: string | undefined): void {
    if (word === 'trowd') this.startRow();
    else if (word === 'cell') this.endCell();
    else if (word === 'row') this.endRow();
    else if (word === 'pard' && this.rows.length > 0 && this.row === undefined) this.endTable();
    else if (word === 'outlinelevel' && number !== undefined) this.text('');
    else this.text(SIGNS[word] ?? '');
  }

  end(): string {
    this.decode();
    this.endTable();
    return this.parts.join('');
  }

  private startRow(): void {
    this.decode();
    if (this.row) return;
    this.row = [];
    this.cellFrom = this.parts.length;
  }

  private endCell(): void {
    this.decode();
    this.row ??= [];
    this.row.push(this.parts.splice(this.cellFrom).join('').replace(/\s+/g, ' ').trim());
  }

  private endRow(): void {
    this.decode();
    if (this.row && this.row.length > 0) this.rows.push(this.row);
    this.row = undefined;
  }

  private endTable(): void {
    if (this.rows.length > 0) this.parts.push(`\n\n${toTable(this.rows.splice(0))}\n\n`);
  }

  private decode(): void {
    if (this.pending.length === 0) return;
    const text = this.decoder.decode(Uint8Array.from(this.pending));
    this.pending = [];
    this.parts.push(text);
  }
}

/** Characters that may begin or end something that is no running text. */
const SPECIAL = new Uint8Array(128);
for (const sign of '\n`~$\\<>[]{}') SPECIAL[sign.charCodeAt(0)] = 1;
const OPENING = '[【［〔';
const CLOSING = ']】］〕';
const WIDE = new Set([...OPENING, ...CLOSING].map((sign) => sign.charCodeAt(0)));

/** Elements whose text is none of the answer's prose; the second kind ends with its paragraph at the latest. */
const LONG_ELEMENTS = new Set(['think', 'thinking', 'reasoning', 'pre', 'script', 'style', 'svg']);
const SHORT_ELEMENTS = new Set(['code', 'math', 'kbd', 'samp', 'var', 'tt']);
/** Elements whose tags may carry brackets in their attributes. */
const TAGS = new Set(
  'a abbr b br i em strong sub sup span p div td tr th table ul ol li img u s font details summary hr mark h1 h2 h3 h4'.split(
    ' ',
  ),
);
const BEGINS_ANEW = /^[ \t]*(?:[-*+•|>]|#{1,6}|\d{1,9}[.)])[ \t]/;
const MAX_NAME = 12;
/** As much of a line as tells what it is. */
const MAX_HEAD = 200;
const MAX_DOLLAR_HEAD = 40;
const FENCE = /^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(`{3,}(?=[^`]*$)|~{3,})/;
const LIST_ITEM = /^[ \t>]*(?:[-*+•]|\d{1,9}[.)])[ \t]+/;
/** What stands before the text of a line: signs of quotations, lists and headings, then of tables and emphasis. */
const LEADS = [/^[\s>]+/, /^(?:[-*+•]|\d{1,9}[.)]|#{1,6})\s/];
const NO_TEXT = /^[\s*_|>"“„«(]*$/;
/** `$5 million` is an amount, not a formula. */
const AMOUNT = /^\d[\d.,]*(?:[kKmMbB]n?)?\*{0,2}(?:\s+[\p{L}\d.,;:!?()%*–-]+)*\s*$/u;

/**
 * Where one is in a Markdown text that comes in pieces: in running text, or in code (fenced, indented, inline), maths,
 * HTML, brackets or braces, or what a model thinks aloud. It looks at every character once.
 */
export class Prose {
  private fence: { sign: string; length: number } | undefined;
  /** Number of backticks that opened the code one is in. */
  private code = 0;
  private ticks = 0;
  /** The code one is in was opened on an earlier line. */
  private codeFromBefore = false;
  private maths: '$' | '$$' | '\\]' | '\\)' | 'end' | undefined;
  private dollarHead = '';
  private dollars = 0;
  private element = '';
  private inTag = false;
  private square = 0;
  private brace = 0;
  /** Column where the text of the list item begins that one is in; -1 outside lists. */
  private listColumn = -1;
  private afterBlank = true;
  /** The line so far. */
  private head = '';
  /** The name behind a backslash or `<` while it is being read. */
  private name: string | undefined;
  private nameOf: '\\' | '<' = '<';
  private last = '';

  /**
   * Reads on from `at` up to the next bracket that stands in running text, and answers its place; the length of the
   * text when there is none.
   */
  nextBracket(text: string, at: number): number {
    let run = at;
    for (let index = at; index < text.length; index++) {
      const code = text.charCodeAt(index);
      const special = code < 128 ? SPECIAL[code] === 1 : code >= 0x3000 && WIDE.has(code);
      if (!special && this.name === undefined && this.ticks === 0 && this.dollars === 0) continue;
      this.pass(text, run, index);
      run = index;
      const sign = text.charAt(index);
      this.settle(sign);
      if (!special) continue;
      if (OPENING.includes(sign) && this.isProse()) return index;
      this.sign(sign);
      run = index + 1;
    }
    this.pass(text, run, text.length);
    return text.length;
  }

  /** Goes past a bracket that is none of a citation. */
  skip(sign: string): void {
    this.sign(sign);
  }

  /** Goes past what was settled as a citation. */
  note(text: string): void {
    this.pass(text, 0, text.length);
  }

  /** True when text stands before this place on its line. */
  get afterText(): boolean {
    return (
      this.head.length >= MAX_HEAD || !NO_TEXT.test(LEADS.reduce((text, lead) => text.replace(lead, ''), this.head))
    );
  }

  /** True right at the beginning of a line. */
  get atLineStart(): boolean {
    return /^[ \t>]*$/.test(this.head);
  }

  private isProse(): boolean {
    // A list item, a heading or a row of a table begins anew.
    if (this.codeFromBefore && BEGINS_ANEW.test(this.head)) {
      this.code = 0;
      this.codeFromBefore = false;
    }
    if (this.fence || this.code > 0 || this.element !== '' || this.inTag || this.square > 0 || this.brace > 0) {
      return false;
    }
    if (this.maths === '$' && AMOUNT.test(this.dollarHead)) this.maths = undefined;
    return this.maths === undefined && !this.isIndentedCode();
  }

  private isIndentedCode(): boolean {
    const blank = /^[ \t]*/.exec(this.head.replace(/^(?:[ \t]{0,3}>)+[ ]?/, ''))?.[0] ?? '';
    const column = blank.replaceAll('\t', '    ').length;
    return column >= (this.listColumn < 0 ? 4 : this.listColumn + 4);
  }

  /** Plain characters. */
  private pass(text: string, from: number, to: number): void {
    if (to <= from) return;
    const room = MAX_HEAD - this.head.length;
    if (room > 0) this.head += text.slice(from, Math.min(to, from + room));
    const space = MAX_DOLLAR_HEAD - this.dollarHead.length;
    if (this.maths === '$' && space > 0) this.dollarHead += text.slice(from, Math.min(to, from + space));
    this.last = text.charAt(to - 1);
  }

  /** What is complete once this character is seen. */
  private settle(next: string): void {
    if (this.name !== undefined) this.readName(next);
    if (this.ticks > 0 && next !== '`') {
      if (this.code === 0) this.code = this.ticks;
      else if (this.code === this.ticks) this.code = 0;
      this.ticks = 0;
    }
    if (this.dollars > 0 && next !== '$') this.settleDollars(next);
  }

  private settleDollars(next: string): void {
    const sign = this.dollars >= 2 ? '$$' : '$';
    this.dollars = 0;
    if (this.maths === sign) this.maths = undefined;
    else if (this.maths === undefined && (sign === '$$' || !/\s/.test(next))) {
      this.maths = sign;
      this.dollarHead = '';
    }
  }

  private readName(next: string): void {
    const name = this.name ?? '';
    if (/[a-zA-Z\d]/.test(next) && name.length < MAX_NAME) {
      this.name = name + next;
      return;
    }
    if (next === '/' && name === '' && this.nameOf === '<') {
      this.name = '/';
      return;
    }
    this.name = undefined;
    if (this.nameOf === '<') this.openOrClose(name.toLowerCase(), next);
    else if (name === '') this.escape(next);
    else if (name === 'begin' && next === '{') this.maths ??= 'end';
    else if (name === 'end' && this.maths === 'end') this.maths = undefined;
  }

  private openOrClose(name: string, next: string): void {
    if (this.fence || this.code > 0) return;
    if (this.element !== '') {
      if (name !== `/${this.element}`) return;
      // What a model thought aloud is no beginning of a line.
      if (LONG_ELEMENTS.has(this.element)) this.head = '';
      this.element = '';
      return;
    }
    if (name === '' || !/[\s/>]/.test(next)) return;
    if (LONG_ELEMENTS.has(name) || SHORT_ELEMENTS.has(name)) this.element = name;
    else this.inTag = next !== '>' && TAGS.has(name.replace('/', ''));
  }

  /** `\[` and `\(` open formulas; behind any other sign a backslash only means that it is no sign. */
  private escape(next: string): void {
    if (this.fence || this.code > 0) return;
    if (next === '[' || next === '(') this.maths ??= next === '[' ? '\\]' : '\\)';
    else if ((next === ']' && this.maths === '\\]') || (next === ')' && this.maths === '\\)')) this.maths = undefined;
    this.escaped = next;
  }

  private escaped = '';

  private sign(sign: string): void {
    const escaped = this.escaped === sign;
    this.escaped = '';
    if (sign === '\n') {
      this.endLine();
      return;
    }
    const before = this.last;
    this.pass(sign, 0, 1);
    if (escaped && sign !== '<') return;
    const inCode = this.fence !== undefined || this.code > 0 || this.ticks > 0;
    if (inCode && '[]{}【】［］〔〕'.includes(sign)) return;
    switch (sign) {
      case '`':
        if (!this.fence && this.element === '') this.ticks += 1;
        break;
      case '$':
        if (!this.fence && this.code === 0 && (this.maths || this.dollars > 0 || !/[\p{L}\p{N}]/u.test(before))) {
          this.dollars += 1;
        }
        break;
      case '\\':
        if (!this.fence && this.code === 0) this.expectName('\\');
        break;
      case '<':
        if (!this.fence && this.code === 0 && (this.element !== '' || !/[\p{L}\p{N}]/u.test(before)))
          this.expectName('<');
        break;
      case '>':
        this.inTag = false;
        break;
      case '~':
        break;
      case '{':
        this.brace += 1;
        break;
      case '}':
        this.brace = Math.max(0, this.brace - 1);
        break;
      default:
        this.square = OPENING.includes(sign) ? this.square + 1 : Math.max(0, this.square - 1);
    }
  }

  private expectName(kind: '\\' | '<'): void {
    this.name = '';
    this.nameOf = kind;
  }

  private endLine(): void {
    const { head } = this;
    this.head = '';
    this.last = '\n';
    const blank = head.trim() === '';
    if (this.fence) {
      const closing = /^[ \t>]*([`~]+)[ \t\r]*$/.exec(head)?.[1] ?? '';
      if (closing[0] === this.fence.sign && closing.length >= this.fence.length) this.fence = undefined;
      return;
    }
    this.square = 0;
    // Code may run over a line break, but not into the next paragraph.
    if (blank) this.code = 0;
    this.codeFromBefore = this.code > 0;
    this.inTag = false;
    if (this.maths === '$' || blank) this.maths = undefined;
    if (blank) {
      this.brace = 0;
      if (SHORT_ELEMENTS.has(this.element)) this.element = '';
      this.afterBlank = true;
      return;
    }
    const fence = this.element === '' ? FENCE.exec(head)?.[1] : undefined;
    if (fence) this.fence = { sign: fence.charAt(0), length: fence.length };
    const item = LIST_ITEM.exec(head)?.[0];
    if (item !== undefined) this.listColumn = item.length;
    else if (this.afterBlank && /^[ \t]*/.exec(head)?.[0].length === 0) this.listColumn = -1;
    this.afterBlank = false;
  }
}

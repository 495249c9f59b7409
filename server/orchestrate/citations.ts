import type { Citation } from '../core/run';

/** `[1]`, `[1, 2]`, `[Document 1]`, `[Document 1 - Name Page 2]`: what models write for a citation. */
const MARKER = /^\[\s*(?:(?:document|doc|source)s?\s+)?(\d{1,3}(?:\s*,\s*\d{1,3})*)(?:\s+-[^\]\n]{0,120})?\s*\]/i;
/** True while the text after `[` may still become a marker. */
const OPEN_MARKER = /^\[\s*(?:[a-z]{1,9}\s*)?(?:\d[\d,\s]*)?(?:-[^\]\n]{0,120})?$/i;
/** Longer than this no marker is: both patterns see no more, so that odd text cannot keep them busy. */
const MAX_MARKER = 200;

const NONE: readonly Citation[] = [];

/**
 * Rewrites citations while an answer streams: every form becomes `[n]`, one bracket per number, and
 * numbers of no passage disappear with the blank before them. Code and links are left alone.
 * Text is held back only while a bracket is open.
 */
export class CitationFilter {
  private held = '';
  private inFence = false;
  private inCode = false;
  private atLineStart = true;
  /** Last character that was passed on. */
  private last = '';
  /** Numbers of the marker just settled, and where they begin in it. */
  private found: number[] = [];
  private foundAt = 0;

  constructor(private readonly known: ReadonlySet<number>) {}

  /** Citations of the text handed out last; replaced by the next call. */
  cites: readonly Citation[] = NONE;

  /** The part of the answer that is settled now. */
  push(text: string): string {
    this.held += text;
    return this.drain(false);
  }

  /** The rest, when the answer ends. */
  end(): string {
    return this.drain(true);
  }

  private drain(final: boolean): string {
    let out = '';
    this.cites = NONE;
    while (this.held !== '') {
      const special = nextSpecial(this.held);
      if (special < 0) {
        out += this.take(this.held.length);
        this.last = out.at(-1) ?? this.last;
        break;
      }
      out += this.take(special);
      this.last = out.at(-1) ?? this.last;
      const next = this.step(final);
      if (next === undefined) return out;
      if (this.found.length > 0) this.note(out.length);
      out += next;
      this.last = next.at(-1) ?? this.last;
    }
    return out;
  }

  /** Settles what begins at the front of `held`; undefined when more text is needed. */
  private step(final: boolean): string | undefined {
    const first = this.held.charAt(0);
    if (first === '`') return this.backticks(final);
    if (first === '\n') {
      this.inCode = false;
      const line = this.take(1);
      this.atLineStart = true;
      return line;
    }
    if (this.inFence || this.inCode) return this.take(1);
    const blank = /^[ \t]*/.exec(this.held)?.[0] ?? '';
    // Text is held back for blanks only as far as a marker may follow them.
    if (blank.length > MAX_MARKER) return this.take(blank.length);
    const rest = this.held.slice(blank.length, blank.length + MAX_MARKER);
    if (rest === '') return final ? this.take(blank.length) : undefined;
    const marker = MARKER.exec(rest);
    if (marker) return this.marker(blank, marker, final);
    if (!final && rest.length < MAX_MARKER && OPEN_MARKER.test(rest)) return undefined;
    return this.take(blank.length + 1);
  }

  private marker(blank: string, marker: RegExpExecArray, final: boolean): string | undefined {
    const length = blank.length + marker[0].length;
    const after = this.held.charAt(length);
    if (after === '' && !final) return undefined;
    // `[1](https://…)` and `[1]: …` are Markdown links.
    if (after === '(' || after === ':') return this.take(length);
    this.take(length);
    const numbers = (marker[1] ?? '').split(',').map(Number);
    this.found = numbers.filter((n) => this.known.has(n));
    if (this.found.length > 0) {
      this.foundAt = blank.length;
      return blank + this.found.map((n) => `[${n}]`).join('');
    }
    // What stood around a removed marker must not close up to a new one: `[7[9]7]`.
    return /[\d,[]/.test(this.last) ? ' ' : '';
  }

  /** Records the citations of the marker that is being written at `from`. */
  private note(from: number): void {
    const cites = [...this.cites];
    let at = from + this.foundAt;
    for (const n of this.found) {
      cites.push({ n, at });
      at += `[${n}]`.length;
    }
    this.cites = cites;
    this.found = [];
  }

  private backticks(final: boolean): string | undefined {
    const run = /^`+/.exec(this.held)?.[0] ?? '';
    if (run.length === this.held.length && !final) return undefined;
    if (run.length >= 3 && (this.atLineStart || this.inFence)) this.inFence = !this.inFence;
    else if (!this.inFence) this.inCode = !this.inCode;
    return this.take(run.length);
  }

  private take(length: number): string {
    const taken = this.held.slice(0, length);
    this.held = this.held.slice(length);
    if (taken.trim() !== '') this.atLineStart = false;
    return taken;
  }
}

/** Where something begins that may need a decision: a bracket, code, a line end, or blanks before a bracket or the end. */
function nextSpecial(text: string): number {
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '[' || character === '`' || character === '\n') return at;
    if (character !== ' ' && character !== '\t') continue;
    const blank = at;
    while (text.charAt(at + 1) === ' ' || text.charAt(at + 1) === '\t') at += 1;
    if (at + 1 === text.length || text.charAt(at + 1) === '[') return blank;
  }
  return -1;
}

/** Old markers in earlier answers point to passages that are no longer there. */
export function stripMarkers(text: string): string {
  const filter = new CitationFilter(new Set());
  return filter.push(text) + filter.end();
}

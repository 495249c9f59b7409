import type { Citation } from '../core/run';
import { type Bracketed, isCertain, LOOK_BACK, lookAhead, MAX_MARKER, mayBecomeMarker, parseMarker } from './marker';
import { Prose } from './prose';

const CLOSING: Record<string, string> = { '[': ']', '【': '】', '［': '］', '〔': '〕' };
/** `[[1]]`, and what may still become it. */
const DOUBLE = /^\[\[(\d{1,3})\]\]/;
const OPEN_DOUBLE = /^\[\[\d{0,3}\]?$/;
/** The second line of the header that the prompt has over each passage, and what may still become it. */
const SCORE = /^[ \t]{0,8}(?:\r?\n[ \t]{0,8})?\(Score:\s{0,4}[-\d.,e]{1,12}\)[ \t]{0,8}(?:\r?\n|$)?/;
const OPEN_SCORE =
  /^[ \t]{0,8}(?:\r?\n)?[ \t]{0,8}(?:\((?:S(?:c(?:o(?:r(?:e(?::[\s\d.,e-]{0,16}\)?[ \t]{0,8})?)?)?)?)?)?)?$/;
/** A connection between two markers. */
const BETWEEN = /^\s{0,3}(?:,|;|&|and|und|et|y|e)?\s{0,3}$/;
const MAX_BETWEEN = 8;

/** A bracket that was settled: what is written instead of it, up to where it goes. */
interface Settled {
  end: number;
  numbers: readonly number[];
  /** What follows the markers. */
  tail: string;
}

/**
 * Finds the citations of an answer while it streams. What certainly is a marker becomes `[n]`, one bracket per number,
 * and is reported; a header of the prompt that the model repeats is left out; everything else passes as it is. Text
 * is held back only while it may still become a marker.
 */
export class CitationFilter {
  private held = '';
  private readonly prose = new Prose();
  /** The end of what was handed out. */
  private tail = '';
  private written = 0;
  private lastMarkerEnd = -1;

  /** `given` are the numbers of Ivy's passages, `others` those that the client itself gave out. */
  constructor(
    private readonly given: ReadonlySet<number>,
    private readonly others: ReadonlySet<number> = new Set(),
  ) {}

  private found: Citation[] = [];

  /** Citations of the text handed out last; replaced by the next call. */
  get cites(): readonly Citation[] {
    return this.found;
  }

  /** The part of the answer that is settled now. */
  push(text: string): string {
    this.found = [];
    // Without a number that was given out nothing can be a citation.
    return this.given.size === 0 ? text : this.drain(text, false);
  }

  /** The rest, when the answer ends. */
  end(): string {
    this.found = [];
    return this.held === '' ? '' : this.drain('', true);
  }

  private drain(text: string, final: boolean): string {
    const buffer = this.held + text;
    this.held = '';
    let out = '';
    let from = 0;
    let at = 0;
    while (at < buffer.length) {
      const bracket = this.prose.nextBracket(buffer, at);
      if (bracket === buffer.length) break;
      const settled = this.settle(buffer, bracket, from, final);
      if (settled === 'open') {
        this.held = buffer.slice(bracket);
        return out + this.handOut(buffer.slice(from, bracket));
      }
      if (settled === undefined) {
        this.prose.skip(buffer.charAt(bracket));
        at = bracket + 1;
        continue;
      }
      out += this.handOut(buffer.slice(from, bracket));
      out += this.handOut(this.write(settled, out.length));
      from = settled.end;
      at = settled.end;
    }
    return out + this.handOut(buffer.slice(from));
  }

  private handOut(text: string): string {
    this.written += text.length;
    this.tail = text.length >= LOOK_BACK ? text.slice(-LOOK_BACK) : (this.tail + text).slice(-LOOK_BACK);
    return text;
  }

  /** The markers of a settled bracket, reported as citations at their places in what is being handed out. */
  private write({ numbers, tail }: Settled, at: number): string {
    let markers = '';
    for (const n of numbers) {
      if (this.given.has(n)) this.found.push({ n, at: at + markers.length });
      markers += `[${n}]`;
    }
    if (numbers.length > 0) this.lastMarkerEnd = this.written + markers.length;
    this.prose.note(markers + tail);
    return markers + tail;
  }

  /** What begins at a bracket: undefined when it is none of ours, `open` when more text is needed to tell. What stands before `from` was handed out. */
  private settle(buffer: string, at: number, from: number, final: boolean): Settled | 'open' | undefined {
    const sign = buffer.charAt(at);
    if (buffer.charAt(at + 1) === '[') return this.double(buffer, at, from, final);
    const closing = CLOSING[sign] ?? ']';
    const end = closingOf(buffer, at, closing);
    if (end === undefined) {
      const inside = buffer.slice(at + 1, at + MAX_MARKER);
      return !final && buffer.length - at < MAX_MARKER && mayBecomeMarker(inside) ? 'open' : undefined;
    }
    if (end < 0) return undefined;
    const found = parseMarker(buffer.slice(at + 1, end));
    return found && this.decide(buffer, end + 1, { found, at, from, final });
  }

  private double(buffer: string, at: number, from: number, final: boolean): Settled | 'open' | undefined {
    const match = DOUBLE.exec(buffer.slice(at, at + 8));
    if (match) {
      const found: Bracketed = { kind: 'label', numbers: [Number(match[1])], named: false };
      return this.prose.afterText ? this.decide(buffer, at + match[0].length, { found, at, from, final }) : undefined;
    }
    return !final && OPEN_DOUBLE.test(buffer.slice(at)) ? 'open' : undefined;
  }

  private decide(
    buffer: string,
    end: number,
    { found, at, from, final }: { found: Bracketed; at: number; from: number; final: boolean },
  ): Settled | 'open' | undefined {
    const { numbers } = found;
    if (found.kind === 'label' && this.prose.atLineStart && numbers.length === 1) {
      if (end === buffer.length && !final) return 'open';
      if (buffer.charAt(end) === ':') return this.header(buffer, end + 1, { found, final });
    }
    const known = numbers.every((n) => this.given.has(n) || this.others.has(n));
    if (!known || !numbers.some((n) => this.given.has(n))) return undefined;
    const after = lookAhead(buffer, end, final);
    if (after === undefined) return 'open';
    const since = this.written + at - from - this.lastMarkerEnd;
    const before = at - from >= LOOK_BACK ? buffer.slice(at - LOOK_BACK, at) : this.tail + buffer.slice(from, at);
    const chained =
      this.lastMarkerEnd >= 0 && since <= MAX_BETWEEN && BETWEEN.test(since === 0 ? '' : before.slice(-since));
    const { afterText } = this.prose;
    return isCertain(found, { before, after, afterText, chained }) ? { end, numbers, tail: '' } : undefined;
  }

  /** A header of the prompt that the model repeats, or makes up: no text for a reader. */
  private header(
    buffer: string,
    end: number,
    { found, final }: { found: Bracketed; final: boolean },
  ): Settled | 'open' | undefined {
    const rest = buffer.slice(end, end + 64);
    const none = { numbers: [], tail: '' };
    const score = SCORE.exec(rest);
    if (score && (final || score[0].length < rest.length || score[0].endsWith('\n'))) {
      return { ...none, end: end + score[0].length };
    }
    if (!final && rest.length < 64 && OPEN_SCORE.test(rest)) return 'open';
    const [given] = found.numbers.filter((n) => this.given.has(n));
    if (!found.named && given === undefined) return undefined;
    const line = /^[ \t]*(?:\r?\n|$)/.exec(rest)?.[0];
    if (line !== undefined) return { ...none, end: end + line.length };
    const blank = /^[ \t]*/.exec(rest)?.[0].length ?? 0;
    return given === undefined ? { ...none, end: end + blank } : { numbers: [given], tail: ' ', end: end + blank };
  }
}

/** Where a bracket closes; -1 when something stands in between that no marker holds, undefined when it is not there yet. */
function closingOf(buffer: string, at: number, closing: string): number | undefined {
  const limit = Math.min(buffer.length, at + MAX_MARKER);
  for (let index = at + 1; index < limit; index++) {
    const sign = buffer.charAt(index);
    if (sign === closing) return index;
    if (sign === '\n' || sign === '[') return -1;
  }
  return limit < at + MAX_MARKER ? undefined : -1;
}

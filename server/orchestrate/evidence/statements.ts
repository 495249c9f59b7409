import type { CitedPassage } from '../../core/knowledge';
import { plainSigns } from '../../text/fold';
import { detectLanguage, type Language, type LanguageCode } from '../../text/language';
import { type Quantity, quantitiesOf } from '../../text/quantities';
import { UNSPACED_LETTERS } from '../../text/scripts';
import { splitSentences } from '../../text/sentences';
import { type Unit, unitOf } from '../../text/units';
import { isIdentifier, toWords } from '../../text/words';

/** A quantity of a statement, and the words that stand close to it: what it is of. */
export interface Placed extends Quantity {
  local: ReadonlySet<string>;
}

/** A sentence of a source, or a row of one of its tables. */
export interface Statement {
  n: number;
  /** As the source writes it. */
  text: string;
  /** Its text without what only sets it. */
  bare: string;
  words: ReadonlySet<string>;
  /** What stands over it: the headings, the title, the head of its table. */
  context: ReadonlySet<string>;
  identifiers: ReadonlySet<string>;
  /** Identifiers that it stands under, such as the number of its requirement. */
  owners: ReadonlySet<string>;
  quantities: readonly Placed[];
  /** True for running text, whose neighbours belong to it. */
  flows: boolean;
}

/** A passage, taken apart for comparing. */
export interface Source {
  n: number;
  text: string;
  /** Its file, title and heading. */
  names: string;
  statements: readonly Statement[];
  /** Units that it names without a number. */
  heads: readonly Unit[];
  language: Language;
  /** True when its letters are of a script that writes no blanks. */
  unspaced: boolean;
}

/** Longer texts are looked at up to here: passages are far shorter, an agent's may not be. */
const MAX_CHARS = 12_000;
const MAX_STATEMENT = 2_000;
/** More values of one statement are left alone: a row of measurements is no claim. */
export const MAX_QUANTITIES = 24;
const MAX_HEAD = 60;
/** Shorter identifiers, such as `T1`, may also name a column. */
const MIN_NAME = 6;
const CONTRACTED = /n['’]t(?!\p{L})/gu;
const CLAUSE =
  /[,;:()]|(?<!\p{L})(?:and|but|or|while|whereas|und|oder|aber|während|et|ou|mais|tandis|y|pero|e|ma|и|а|но)(?!\p{L})|[，；、]/giu;
const HEAD = /[[(]\s?([^[\]()|\n]{1,12}?)\s?[\])]|(?:,|\bin)\s([^\s|,.]{1,8})\s{0,3}(?=[|\n;]|$)/gmu;
const UNSPACED = new RegExp(`[${UNSPACED_LETTERS}]`, 'gu');

/** Takes a passage apart. Linear. `assumed` is its language where it does not show. */
export function toSource(passage: CitedPassage, assumed: Language): Source {
  const text = (passage.text ?? '').slice(0, MAX_CHARS).replace(/\u00ad/g, '');
  const detected = detectLanguage(text);
  const language = detected ?? assumed;
  const names = [passage.source.replace(/\.\w{1,5}$/, ''), passage.title, passage.heading].filter(Boolean).join('\n');
  const context = wordsOf(names, language).words;
  const statements: Statement[] = [];
  let owners: ReadonlySet<string> = new Set();
  for (const block of toBlocks(text)) {
    const add = (statement: Omit<Statement, 'bare' | 'owners'>) => {
      // A requirement's number stands before its text, often on a line of its own.
      const [first] = statement.identifiers;
      const opens = first !== undefined && startsWith(statement.text, first);
      if (opens) owners = new Set([first]);
      statements.push({ ...statement, bare: toBare(statement.text), owners });
    };
    if (block.rows) addRows(block.rows, { n: passage.n, language, notation: detected?.code, context, add });
    else addSentences(block.text, { n: passage.n, language, notation: detected?.code, context, add });
  }
  return { n: passage.n, text, names, statements, heads: headUnits(text), language, unspaced: isUnspaced(text) };
}

/** How a text is set and marked up is no difference between two texts, everything else is. */
export const toBare = (text: string) =>
  plainSigns(text)
    .replace(/[*_`|]+/g, '')
    .replace(/\s+/g, ' ')
    .replace(/[.:;。]?\s?$/, '')
    .trim();

/** True when most letters of a text are of a script that writes no blanks between words. */
export function isUnspaced(text: string): boolean {
  const start = text.slice(0, 2_000);
  return (start.match(UNSPACED)?.length ?? 0) > (start.match(/\p{L}/gu)?.length ?? 0) / 3;
}

interface Block {
  text: string;
  /** Cells of the rows, when it is a table; the first row is its head. */
  rows?: { text: string; cells: string[] }[];
}

function toBlocks(text: string): Block[] {
  const blocks: Block[] = [];
  let prose: string[] = [];
  let table: string[] = [];
  const endProse = () => {
    if (prose.length > 0) blocks.push({ text: prose.join('\n') });
    prose = [];
  };
  const endTable = () => {
    const rows = table
      .filter((line) => !/^[\s|:-]*$/.test(line))
      .map((line) => ({
        text: line.trim(),
        cells: line
          .trim()
          .replace(/^\||\|$/g, '')
          .split('|')
          .map((cell) => cell.trim()),
      }));
    if (rows.length > 0) blocks.push({ text: '', rows });
    table = [];
  };
  for (const line of text.split('\n')) {
    if (/^\s*\|.*\|/.test(line)) {
      endProse();
      table.push(line);
    } else {
      endTable();
      if (line.trim() === '') endProse();
      else prose.push(line);
    }
  }
  endTable();
  endProse();
  return blocks;
}

interface Into {
  n: number;
  language: Language;
  /** The language that tells what a comma in a number means, where it shows. */
  notation: LanguageCode | undefined;
  context: ReadonlySet<string>;
  add(statement: Omit<Statement, 'bare' | 'owners'>): void;
}

/** Lines of a paragraph run on: only lists and what looks like a line of its own end a sentence. */
function addSentences(block: string, { n, language, notation, context, add }: Into): void {
  const flowing = block.replace(/([^\n])\n(?=[^\n\-*#>•\s])/g, '$1 ');
  for (const { start, end } of splitSentences(flowing)) {
    const text = flowing.slice(start, Math.min(end, start + MAX_STATEMENT));
    const all = quantitiesOf(text, notation);
    const { words, identifiers } = wordsOf(withoutQuantities(text, all), language);
    const quantities = all.slice(0, MAX_QUANTITIES);
    const placed = quantities.map((quantity) => ({ ...quantity, local: localWords(text, quantity, language) }));
    add({ n, text, words, context, identifiers, quantities: placed, flows: true });
  }
}

/** Each row with the head of its table: a bare number is of the unit that its column names. */
function addRows(rows: NonNullable<Block['rows']>, { n, language, notation, context, add }: Into): void {
  const [head] = rows;
  if (!head) return;
  const hasHead = rows.length > 1 && head.cells.every((cell) => isHead(cell, language));
  const columns = hasHead
    ? head.cells.map((cell) => ({ words: wordsOf(cell, language).words, unit: headUnits(`${cell} |`)[0] }))
    : [];
  const above = new Set([...context, ...columns.flatMap(({ words }) => [...words])]);
  for (const row of hasHead ? rows.slice(1) : rows) {
    const { words, identifiers } = wordsOf(row.text, language);
    const quantities = row.cells.flatMap((cell, index) => {
      const column = columns[index];
      const local = new Set([...(column?.words ?? []), ...wordsOf(cell, language).words]);
      return quantitiesOf(cell, notation)
        .slice(0, MAX_QUANTITIES)
        .map((quantity) => ({
          ...quantity,
          unit: quantity.unit ?? column?.unit,
          local,
        }));
    });
    const text = hasHead
      ? row.cells.map((cell, index) => [head.cells[index], cell].filter(Boolean).join(': ')).join('; ')
      : row.text;
    add({
      n,
      text: text.slice(0, MAX_STATEMENT),
      words,
      context: above,
      identifiers,
      quantities,
      flows: false,
    });
  }
}

/** A cell of a head names what stands below it: no value, no identifier, no sentence. */
function isHead(cell: string, language: Language): boolean {
  if (cell.length > MAX_HEAD || /^[-+]?\d/.test(cell)) return false;
  return [...wordsOf(cell, language).identifiers].every((name) => name.length < MIN_NAME);
}

/** The words that carry meaning, and the identifiers, of a text. Numbers are compared as such, not as words. */
export function wordsOf(
  text: string,
  language: Language,
): { words: ReadonlySet<string>; identifiers: ReadonlySet<string> } {
  const words = new Set<string>();
  const identifiers = new Set<string>();
  for (const { kind, surface, stems, partOf, written } of toWords(text.replace(CONTRACTED, ' not'), [language])) {
    // `hed` of `HED-REQ-0140` is no word.
    if (partOf !== undefined && isIdentifier(partOf.toLowerCase())) continue;
    if (kind === 'identifier' && !unitOf(surface) && !isAmount(surface)) {
      if (partOf === undefined) identifiers.add(surface);
    } else if (/^\p{Lu}$/u.test(written)) {
      // "Channel A" and "channel B" are two.
      words.add(written);
    } else if (!language.stopWords.has(surface) && /\p{L}/u.test(surface)) {
      words.add(kind === 'word' ? (stems.at(-1) ?? surface) : surface);
    }
  }
  return { words, identifiers };
}

/** `m2`, `h20`: a unit with a power, or a part of a duration. */
const isAmount = (surface: string) => /^\p{L}{1,2}\d{1,2}$/u.test(surface) && unitOf(surface) !== undefined;

/** Numbers and units are compared as such; as words they would count twice. The length stays. */
export function withoutQuantities(text: string, quantities: readonly Quantity[]): string {
  let out = '';
  let from = 0;
  for (const { start, end } of quantities) {
    if (start < from) continue;
    out += text.slice(from, start) + ' '.repeat(end - start);
    from = end;
  }
  return out + text.slice(from);
}

/** The words of the clause that a quantity stands in, as far as the next quantity's. */
export function localWords(
  text: string,
  { start, end }: { start: number; end: number },
  language: Language,
): ReadonlySet<string> {
  let from = 0;
  let to = text.length;
  for (const { index, 0: sign } of text.matchAll(CLAUSE)) {
    if (index + sign.length <= start) from = index + sign.length;
    else if (index >= end) {
      to = index;
      break;
    }
  }
  const { words, identifiers } = wordsOf(`${text.slice(from, start)} ${text.slice(end, to)}`, language);
  return new Set([...words, ...identifiers]);
}

/** `Mass [kg]`, `Länge, mm`, `Temperatur in °C` at the end of a cell or a line. */
export function headUnits(text: string): Unit[] {
  return [...text.matchAll(HEAD)].flatMap(([, bracketed, plain]) => unitOf(bracketed ?? plain ?? '') ?? []);
}

const startsWith = (text: string, identifier: string) =>
  text
    .slice(0, identifier.length + 6)
    .toLowerCase()
    .replace(/[\u2010-\u2015]/g, '-')
    .includes(identifier);

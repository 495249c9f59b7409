import { UNSPACED_LETTERS } from '../text/scripts';
import { unitOf } from '../text/units';

/** What a pair of brackets in an answer may be. */
export interface Bracketed {
  kind: 'plain' | 'list' | 'label';
  /** The numbers that it names, ranges spelled out. */
  numbers: readonly number[];
  /** Carries the name of a document, as the headers of the prompt do. */
  named: boolean;
}

/** Longer than this no marker is. */
export const MAX_MARKER = 160;
/** As much of what follows as is looked at. */
const LOOK_AHEAD = 16;
/** A line end, a sign or a word, and what ends it. */
const NEXT = /^(?:\n|[^\s][\s\S]|[^\S\n]+(?:\n|[\p{L}\p{N}]+[^\p{L}\p{N}]|[^\s\p{L}\p{N}][\s\S]))/u;
/** As much of what comes before. */
export const LOOK_BACK = 64;

const LABEL = `(?:documents?|docs?|sources?|src|passages?|references?|refs?|citations?|cite|results?|dokumente?|quellen?|textstellen?|passagen?|extraits?|fuentes?|documentos?|documenti|documento|fonti|fonte|pasaje|документ|источник|文档|文献|资料|資料|来源|出典|参考|文書)`;
const PLACE = String.raw`(?:,?\s{0,3}(?:pages?|pp?\.?|seiten?|s\.|página|pagina|pág\.|стр\.?|sections?|abschnitt|chapter|clause|§)\s{0,3}[\p{N}.\-–]{1,12})`;
const NUMBER = String.raw`\d{1,3}`;
const PLAIN = new RegExp(`^\\s{0,3}(${NUMBER})\\s{0,3}$`);
const LABEL_FIRST = new RegExp(String.raw`^\s{0,3}${LABEL}[\s:#.]{0,3}(?=\d)`, 'iu');
const NEXT_NUMBER = new RegExp(
  String.raw`^\s{0,2}(?:,?\s?(?:and|und|et|&)|[,;]|-|–)\s{0,2}(?:${LABEL}[\s:#.]{0,3})?(?=\d)`,
  'iu',
);
const ALSO = new RegExp(String.raw`[,;]\s?${LABEL}[\s:#.]{0,3}(\d{1,3})(?!\d)`, 'giu');
const ONLY_PLACE = new RegExp(`^${PLACE}\\s{0,3}$`, 'iu');
const LIST = new RegExp(
  String.raw`^\s{0,3}(${NUMBER}(?:\s{0,2}(?:[,;]|-|–|and|und|et|y|e)\s{0,2}${NUMBER}){1,11})\s{0,3}$`,
  'i',
);
const PLACED = new RegExp(String.raw`^\s{0,3}(${NUMBER})${PLACE}\s{0,3}$`, 'iu');
const DAGGER = /^\s{0,3}(\d{1,3})†[^\]】]{0,60}$/;
const MAX_RANGE = 20;

/** What stands between brackets, as a marker would be written; undefined when no marker is written so. */
export function parseMarker(inside: string): Bracketed | undefined {
  const plain = PLAIN.exec(inside);
  if (plain) return { kind: 'plain', numbers: [Number(plain[1])], named: false };
  const placed = PLACED.exec(inside) ?? DAGGER.exec(inside);
  if (placed) return { kind: 'label', numbers: [Number(placed[1])], named: false };
  const label = LABEL_FIRST.exec(inside)?.[0];
  if (label !== undefined) return parseLabelled(inside.slice(label.length));
  const list = LIST.exec(inside);
  const numbers = list && toNumbers(list[1] ?? '');
  return numbers ? { kind: 'list', numbers, named: false } : undefined;
}

/** What stands behind the first label: numbers, and the name of the document or the page. */
function parseLabelled(text: string): Bracketed | undefined {
  let rest = text;
  let list = '';
  for (let next = '', count = 0; count < 12; count++) {
    const number = /^\d{1,3}(?![\d.])/.exec(rest)?.[0];
    if (number === undefined) return undefined;
    list += `${/[-–]/.test(next) ? '-' : ', '}${number}`;
    rest = rest.slice(number.length);
    next = NEXT_NUMBER.exec(rest)?.[0] ?? '';
    if (next === '') break;
    rest = rest.slice(next.length);
  }
  const named = /^\s{1,3}[-–—]\s\S/.test(rest);
  // `[Document 1 - A Page 5; Document 2 - B Page 6]`
  if (named) for (const [, more] of rest.matchAll(ALSO)) list += `, ${more}`;
  if (!named && rest.trim() !== '' && !ONLY_PLACE.test(rest)) return undefined;
  const numbers = toNumbers(list);
  return numbers && { kind: 'label', numbers, named };
}

/** `1, 3-5` as numbers, each once; undefined when a range runs backwards or too far. */
function toNumbers(text: string): number[] | undefined {
  const numbers = new Set<number>();
  for (const [, first, last] of text.matchAll(/(\d{1,3})(?:\s*[-–]\s*(\d{1,3}))?/g)) {
    const [from, to] = [Number(first), Number(last ?? first)];
    // Sources are listed in order and once; what is not is a list of values.
    if (to < from || to - from > MAX_RANGE || numbers.has(from)) return undefined;
    for (let n = from; n <= to; n++) numbers.add(n);
  }
  return [...numbers];
}

/** True while the beginning of what stands between brackets may still become a marker. */
export function mayBecomeMarker(inside: string): boolean {
  const [first = ''] = /^\s*[\p{L}]*/u.exec(inside) ?? [];
  const word = first.trim();
  if (first.length < inside.length) return word === '' ? /^\s*\d/.test(inside) : LABEL_WORD.test(word);
  return word.length <= 12;
}
const LABEL_WORD = new RegExp(`^${LABEL}$`, 'iu');

/** What follows a bracket, as far as it tells what the bracket is; undefined while that is not there yet. */
export function lookAhead(text: string, at: number, final: boolean): string | undefined {
  const after = text.slice(at, at + LOOK_AHEAD);
  return NEXT.exec(after)?.[0] ?? (final || after.length === LOOK_AHEAD ? after : undefined);
}

/** What stands around a pair of brackets. */
export interface Surroundings {
  /** Text before it, at least of its line as far as `LOOK_BACK`. */
  before: string;
  /** Text behind it, enough to tell what it is. */
  after: string;
  /** True when text stands before it on its line. */
  afterText: boolean;
  /** True when another marker stands right before it, with nothing but a comma or `and` between. */
  chained: boolean;
}

/** Behind these a number in brackets is an index, an interval or a name of something: English, German, French, Spanish, Italian, Russian. */
const INDEXED = new Set(
  (
    'byte bytes bit bits word words octet octets register registers address addr addresses channel channels index indices ' +
    'entry entries element elements row rows column columns cell cells slot slots interval intervals array arrays vector ' +
    'vectors matrix matrices tuple figure figures fig table tables tab eq equation equations pin offset ' +
    'wort wörter adresse kanal indizes eintrag zeile spalte zelle intervall intervalls wertebereich vektor bild tabelle ' +
    'abbildung gleichung mot mots canal indice entrée ligne colonne cellule intervalle vecteur matrice tableau équation ' +
    'intervalo índice elemento fila columna vector matriz intervallo riga colonna vettore elemento ' +
    'байт бит слово адрес канал индекс элемент строка интервал интервале вектор матрица'
  ).split(' '),
);
/** Behind these a list of numbers may be one of values; a single number is not. */
const LISTED = new Set(
  (
    'range ranges list lists set sets pair point points coordinate coordinates position positions value values number ' +
    'numbers step steps option options level levels state states id ids line lines node nodes block blocks frame frames ' +
    'mode modes scale scales kernel kernels ci interval seed size sizes shape weight weights file files prints print output outputs bereich liste menge feld wert werte werten zahlen paar punkt stelle schritt plage liste valeur valeurs ' +
    'couple étape rango lista valor valores valore valori диапазон диапазоне список значения значение'
  ).split(' '),
);
const INDEXED_HAN =
  /(?:返回|戻り値|区间|區間|範囲|范围|配列|数组|陣列|向量|ベクトル|矩阵|行列|索引|番号|地址|字节|バイト|ビット)$/;
/** Behind these a list of numbers may be a set, an interval or a value. */
const LEADS_TO_VALUES = new Set(
  (
    'in within between from of to is are was were equals equal into by at be than with has gives returns contains ' +
    'zwischen von bis ist sind aus auf liegt im gleich mit hat dans entre de à est sont en égal du un una el la le les ' +
    'es son tra fra da è sono di в от до из между равно the der die das den dem ein eine a an'
  ).split(' '),
);
/** Before a colon, behind which sources are named. */
const SOURCES =
  /(?:sources?|see|refs?|references?|citations?|quellen?|siehe|vgl|beleg|voir|fuentes?|ver|fonti|fonte|vedi|источник|см|来源|出典|参照)\s?$/iu;
const OPERATORS = new Set([...'=<>+*/×·∈≤≥≈~^&\\@#-']);
/** What a marker may stand directly behind. */
const CLOSES = new Set([...'.,;:!?…"”’»%°。，、；：！？」』）】｣']);
const UNSPACED = new RegExp(`^[${UNSPACED_LETTERS}]$`, 'u');
const SENTENCE_ENDS = /^(?:\s*$|\s*[.,;:!?](?![\p{L}\p{N}])|\s*[。，、；：！？）」』|]|\s*\)(?![\p{L}\p{N}_(]))/u;

/** Whether brackets with these numbers are certainly a citation here. The numbers are known to have been given out. */
export function isCertain({ kind }: Bracketed, around: Surroundings): boolean {
  if (!mayPrecede(around.after, kind, around.afterText)) return false;
  if (!around.afterText) return kind === 'label';
  const trimmed = around.before.trimEnd();
  const glued = trimmed.length === around.before.length;
  const last = lastCharacter(trimmed);
  if (around.chained) return true;
  if (kind === 'label') return glued ? !/[\p{L}\p{N}_]/u.test(last) || UNSPACED.test(last) : true;
  if (!mayFollow(trimmed, last, glued, around.after)) return false;
  const word = lastWord(trimmed);
  // `byte [1]` is an index, `8 bytes [1]` is a value with its source.
  if ((INDEXED.has(word) && !/\d\s?\p{L}{1,12}[*_.]{0,2}$/u.test(trimmed)) || INDEXED_HAN.test(trimmed)) return false;
  if (kind === 'plain') return true;
  const sentence = SENTENCE_ENDS.test(around.after) || /^\s+\p{Ll}{2,}/u.test(around.after);
  // `x [1, 2]` is a point, `4 m [1, 2]` is not.
  const named = word.length > 1 || UNSPACED.test(word) || /\d\s?\p{L}$/u.test(trimmed);
  return sentence && named && !LISTED.has(word) && !LEADS_TO_VALUES.has(word) && !/[|(:]$/.test(trimmed);
}

/** What may stand behind a marker. */
function mayPrecede(after: string, kind: Bracketed['kind'], afterText: boolean): boolean {
  const [first = ''] = after;
  if (first === '(' || first === '=' || first === '{' || first === '}' || first === ']') return false;
  // `[1]: address` defines a link; a label there is a header of its own.
  if (first === ':' && !afterText) return false;
  if (/[\p{L}\p{N}_]/u.test(first) && !UNSPACED.test(first)) return false;
  if (kind === 'label') return true;
  const next = after.trimStart();
  if (/^[=∈≤≥≈×·]/.test(next) || /^(?:[+*/<>^][\s\d]|-\d)/.test(next)) return false;
  // `[10] mm` is a value.
  const [unit] =
    first === '' || first === '\n' ? [] : (/^\s?([\p{L}µ°%Ω]{1,6})(?![\p{L}\p{N}])/u.exec(after)?.slice(1) ?? []);
  return unit === undefined || unit === 'A' || unit.toLowerCase() === 'in' || unitOf(unit) === undefined;
}

/** What a marker without a label may stand behind. */
function mayFollow(trimmed: string, last: string, glued: boolean, after: string): boolean {
  const previous = trimmed.at(-2) ?? ' ';
  if (last === '*' || last === '_') return glued ? previous === '*' : /[\p{L}\p{N}\p{P}]/u.test(previous);
  if (last === '(') return /[\s(]/.test(previous);
  if (last === '|') return !glued;
  if (last === '>') return /[\p{L}/"]/u.test(previous);
  if (last === ':') return SOURCES.test(trimmed.slice(0, -1));
  if (last === ',' || last === ';') return SENTENCE_ENDS.test(after);
  if (OPERATORS.has(last)) return false;
  return !glued || CLOSES.has(last) || UNSPACED.test(last);
}

/** The last word, without what closes it, in lower case. */
function lastWord(text: string): string {
  let end = text.length;
  while (end > 0 && '*_.'.includes(text.charAt(end - 1))) end -= 1;
  let start = end;
  while (start > 0 && /[\p{L}\p{M}\p{N}_]/u.test(text.charAt(start - 1))) start -= 1;
  return text.slice(start, end).toLowerCase();
}

function lastCharacter(text: string): string {
  const unit = text.at(-1) ?? '';
  return /[\udc00-\udfff]/.test(unit) ? text.slice(-2) : unit;
}

/** A date of a text: what it may be as `20240506`, and where it stands, in UTF-16 units, the end exclusive. */
export interface DateMention {
  /** Two where day and month can be told apart by nobody: `05/06/2024`. */
  dates: readonly number[];
  start: number;
  end: number;
}

/** Names of months in the languages whose dates are read, long and short. */
const MONTHS = new Map<string, number>();
for (const locale of ['en', 'de', 'fr', 'es', 'it', 'pt', 'nl', 'sv', 'da', 'pl', 'ru']) {
  for (const month of ['long', 'short'] as const) {
    // Beside a day Slavic names take another case.
    for (const shape of [{ month }, { month, day: 'numeric' as const }]) {
      const format = new Intl.DateTimeFormat(locale, { ...shape, timeZone: 'UTC' });
      for (let index = 0; index < 12; index++) {
        const part = format.formatToParts(Date.UTC(2024, index, 11)).find(({ type }) => type === 'month')?.value ?? '';
        const name = part.toLowerCase().replace(/\.$/, '');
        if (/^\p{L}{3,}$/u.test(name)) MONTHS.set(name, index + 1);
      }
    }
  }
}

const NUMERIC =
  /(?<![\p{L}\p{N}.\-/])(?:(\d{4})-(\d{2})-(\d{2})(?=T\d|(?![\p{L}\p{N}\-/]))|(\d{4})\/(\d{1,2})\/(\d{1,2})|(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})|(\d{1,2})[/-](\d{1,2})[/-](\d{4}))(?=T\d|(?![\p{L}\p{N}\-/]))/gu;
const CJK = /(\d{4})\s?[年년]\s?(\d{1,2})\s?[月월]\s?(\d{1,2})\s?[日일号]/gu;
const DAY_FIRST =
  /(?<![\p{L}\p{N}.])(\d{1,2})(?:\.|st|nd|rd|th|er|º|o)?\s+(?:of\s+|de\s+)?(\p{L}{3,12})\.?,?\s+(?:de\s+)?(\d{4})(?!\p{N})/gu;
const MONTH_FIRST = /(?<!\p{L})(\p{L}{3,12})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(?!\p{N})/gu;

/** The dates of a text, in the notations of the languages whose months are known. */
export function datesOf(text: string): DateMention[] {
  const found: DateMention[] = [];
  const add = (match: RegExpExecArray, dates: readonly (number | undefined)[]) => {
    const possible = [...new Set(dates.filter((date) => date !== undefined))];
    if (possible.length > 0) found.push({ dates: possible, start: match.index, end: match.index + match[0].length });
  };
  for (const match of text.matchAll(NUMERIC)) {
    const [, y1, m1, d1, y2, m2, d2, d3, m3, y3, a, b, y4] = match;
    if (y1 ?? y2) add(match, [toDate(y1 ?? y2, m1 ?? m2, d1 ?? d2)]);
    else if (y3) add(match, [toDate(y3, m3, d3)]);
    else add(match, [toDate(y4, b, a), toDate(y4, a, b)]);
  }
  for (const match of text.matchAll(CJK)) add(match, [toDate(match[1], match[2], match[3])]);
  for (const match of text.matchAll(DAY_FIRST)) add(match, [toDate(match[3], monthOf(match[2]), match[1])]);
  for (const match of text.matchAll(MONTH_FIRST)) add(match, [toDate(match[3], monthOf(match[1]), match[2])]);
  return found.sort((a, b) => a.start - b.start);
}

const monthOf = (name: string | undefined) => MONTHS.get(name?.toLowerCase() ?? '');

function toDate(year: string | undefined, month: string | number | undefined, day: string | undefined) {
  const [y, m, d] = [Number(year), Number(month), Number(day)];
  return m >= 1 && m <= 12 && d >= 1 && d <= 31 ? y * 10_000 + m * 100 + d : undefined;
}

import Papa from 'papaparse';

const MAX_COLUMNS = 500;
const DELIMITERS = [',', ';', '\t', '|'] as const;
/** Rows that decide on the sign between values. */
const SAMPLED_ROWS = 50;
const SAMPLED_CHARS = 100_000;
/** As written in any country, with what follows a blank. */
const NUMBER = /^[-+−]?\d+(?:[.,'\u2019 ]\d+)*(?:\s\S{1,12})?$/;

/** Rows of separated values (RFC 4180), whatever the sign between them; columns beyond 500 are left out. */
export function csvRows(text: string): string[][] {
  const { delimiter, body } = delimiterOf(text.replace(/^\ufeff/, ''));
  const { data } = Papa.parse<string[]>(body, { delimiter });
  const rows = data.map((row) => row.slice(0, MAX_COLUMNS));
  // A line end after the last row is no row.
  if (rows.length > 1 && rows.at(-1)?.every((cell) => cell === '')) rows.pop();
  return rows;
}

/**
 * The sign by which most rows have the same number of values, and more than one; what Excel writes as `sep=;` in the
 * first line decides at once. Of equals, the one that leaves more whole numbers: a decimal comma divides them.
 */
function delimiterOf(text: string): { delimiter: string; body: string } {
  const declared = /^sep=(.)\r?\n/.exec(text);
  if (declared?.[1]) return { delimiter: declared[1], body: text.slice(declared[0].length) };
  const sample = text.slice(0, SAMPLED_CHARS);
  const judged = DELIMITERS.map((delimiter) => {
    const { data } = Papa.parse<string[]>(sample, { delimiter, preview: SAMPLED_ROWS, skipEmptyLines: true });
    const widths = new Map<number, number>();
    for (const row of data) widths.set(row.length, (widths.get(row.length) ?? 0) + 1);
    const [width = 1, rows = 0] = [...widths].sort((a, b) => b[1] - a[1] || b[0] - a[0])[0] ?? [];
    const numbers = data.flat().filter((cell) => NUMBER.test(cell)).length;
    return { delimiter, share: width > 1 ? rows / data.length : 0, numbers, width };
  });
  const best = judged.sort((a, b) => b.share - a.share || b.numbers - a.numbers || b.width - a.width)[0];
  return { delimiter: best && best.share > 0 ? best.delimiter : ',', body: text };
}

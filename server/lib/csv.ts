const MAX_COLUMNS = 500;

/** Rows of comma, semicolon or tab separated values (RFC 4180); columns beyond 500 are left out. */
export function csvRows(text: string): string[][] {
  return toRows(text, delimiterOf(text));
}

/** The sign that stands most often in the first line, outside quotes. */
function delimiterOf(text: string): string {
  const line =
    text
      .slice(0, 10_000)
      .split('\n')[0]
      ?.replace(/"[^"]*"/g, '') ?? '';
  const counts = [',', ';', '\t'].map((sign) => ({ sign, count: line.split(sign).length }));
  return counts.sort((a, b) => b.count - a.count)[0]?.sign ?? ',';
}

function toRows(text: string, delimiter: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let from = 0;
  while (from < text.length) {
    const { value, end } = text[from] === '"' ? quoted(text, from, delimiter) : plain(text, from, delimiter);
    if (row.length < MAX_COLUMNS) row.push(value);
    if (text[end] === delimiter) {
      from = end + 1;
      continue;
    }
    rows.push(row);
    row = [];
    from = text[end] === '\r' && text[end + 1] === '\n' ? end + 2 : end + 1;
  }
  if (row.length > 0) rows.push(row);
  return rows;
}

/** Up to the closing quote; two quotes are one in the text. What stands between it and the next delimiter is dropped. */
function quoted(text: string, from: number, delimiter: string): { value: string; end: number } {
  let at = from + 1;
  for (;;) {
    const close = text.indexOf('"', at);
    if (close < 0) return { value: text.slice(from + 1).replaceAll('""', '"'), end: text.length };
    if (text[close + 1] !== '"') {
      const value = text.slice(from + 1, close).replaceAll('""', '"');
      return { value, end: plain(text, close + 1, delimiter).end };
    }
    at = close + 2;
  }
}

function plain(text: string, from: number, delimiter: string): { value: string; end: number } {
  let end = from;
  while (end < text.length && text[end] !== delimiter && text[end] !== '\n' && text[end] !== '\r') end += 1;
  return { value: text.slice(from, end), end };
}

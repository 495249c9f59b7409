/** Rows as a Markdown table with the first one as its head; rows without any text are left out. */
export function toTable(rows: readonly (readonly string[])[]): string {
  const used = rows.map((row) => row.map(toCell)).filter((row) => row.some((cell) => cell !== ''));
  const [head] = used;
  if (!head) return '';
  const width = Math.max(...used.map((row) => row.length));
  const line = (row: readonly string[]) => `| ${Array.from({ length: width }, (_, n) => row[n] ?? '').join(' | ')} |`;
  return [line(head), `|${' --- |'.repeat(width)}`, ...used.slice(1).map(line)].join('\n');
}

const toCell = (text: string) => text.replace(/\s+/g, ' ').replaceAll('|', '\\|').trim();

/** Rows on one section of a long table. */
const SECTION_ROWS = 200;

/** A long table in sections, each with the head repeated. */
export function toTableSections(rows: readonly (readonly string[])[]): string[] {
  const [head, ...body] = rows;
  if (!head) return [];
  const sections: string[] = [];
  for (let from = 0; from === 0 || from < body.length; from += SECTION_ROWS) {
    sections.push(toTable([head, ...body.slice(from, from + SECTION_ROWS)]));
  }
  return sections.filter((section) => section !== '');
}

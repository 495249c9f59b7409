import { csvRows } from '../../../text/csv';
import type { ParsedDocument } from '../parsed';
import { toTableSections } from './table';
import { cleanText } from './text';

/** Values separated by commas, semicolons, tabs or bars, as a table. */
export function parseCsv(text: string): ParsedDocument {
  const sections = toTableSections(csvRows(text));
  return {
    title: null,
    pageKind: 'section',
    pages: sections.map((section, index) => ({ page: index + 1, heading: null, text: cleanText(section) })),
    notice: null,
  };
}

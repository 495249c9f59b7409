import { parseHTML } from 'linkedom';
import type { ParsedDocument } from '../parsed';
import { readHtml } from './html-reader';
import { toSections } from './sections';

/** The words of a page; nothing in it is run or loaded. Navigation, feet and what is hidden are left out, and said. */
export function parseHtml(html: string): ParsedDocument {
  const { document } = parseHTML(/<html[\s>]/i.test(html.slice(0, 4_000)) ? html : `<html><body>${html}</body></html>`);
  const { markdown, leftOut } = readHtml(document.body ?? document.documentElement);
  const title = document.querySelector('title')?.textContent?.trim().replace(/\s+/g, ' ').slice(0, 200) || null;
  const parsed = toSections(markdown, { title });
  const notice = leftOut.length > 0 ? `Left out: ${leftOut.join(', ')}.` : null;
  return { ...parsed, title: title ?? parsed.title, notice };
}

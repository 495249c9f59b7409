import { parseHTML } from 'linkedom';
import type { ParsedDocument } from '../parsed';
import { toSections } from './sections';
import { htmlToMarkdown } from './to-markdown';

/** The words of a page; nothing in it is run or loaded. */
export function parseHtml(html: string): ParsedDocument {
  const { document } = parseHTML(html);
  for (const element of document.querySelectorAll('script, style, noscript, template, svg, iframe, object'))
    element.remove();
  const title = document.querySelector('title')?.textContent?.trim() || null;
  const parsed = toSections(htmlToMarkdown(document.body?.innerHTML || html));
  return { ...parsed, title: title ?? parsed.title };
}

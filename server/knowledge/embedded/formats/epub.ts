import { type ParsedDocument, UnreadableDocument } from '../parsed';
import { readZip } from './archive';
import { parseHtml } from './html';
import { find, findAll, parseXml, resolvePath } from './xml';

/** The text of a book in its reading order, divided at headings. */
export function parseEpub(content: Buffer): ParsedDocument {
  const files = readZip(content, /\.(?:xml|opf|x?html?)$/i);
  const container = files.get('META-INF/container.xml');
  const path = container && find(parseXml(container), 'rootfile')?.attributes['full-path'];
  const file = path ? files.get(path) : undefined;
  if (!path || !file) throw new UnreadableDocument('The book is damaged and cannot be read.');
  const book = parseXml(file);
  const items = new Map(findAll(book, 'item').map(({ attributes }) => [attributes['id'], attributes['href'] ?? '']));
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  const chapters = findAll(book, 'itemref').flatMap(({ attributes }) => {
    const href = decodeName(items.get(attributes['idref']) ?? '');
    const text = files.get(resolvePath(folder, href));
    return text ? parseHtml(withoutProlog(text)).pages : [];
  });
  const pages = chapters
    .filter(({ text }) => text.trim() !== '')
    .map((chapter, index) => ({ ...chapter, page: index + 1 }));
  const title = find(book, 'title')?.text.trim().slice(0, 200) || null;
  return { title, pageKind: 'section', pages, notice: null };
}

function decodeName(href: string): string {
  try {
    return decodeURIComponent(href);
  } catch {
    return href;
  }
}

/** Chapters are XHTML; what stands before the root is for XML readers. */
const withoutProlog = (text: string) => text.replace(/^\s*<\?xml[^>]{0,500}\?>\s*/, '');

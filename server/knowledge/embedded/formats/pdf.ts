import { detectPdf, extractPagesMarkdownAsync, extractTextWithPositions } from '@firecrawl/pdf-inspector';
import { extractText, getDocumentProxy } from 'unpdf';
import { type ParsedDocument, type TextRun, UnreadableDocument } from '../parsed';
import { firstHeading } from './sections';
import { cleanText } from './text';

/** Pages of Markdown; pages without a text layer are counted. */
export async function parsePdf(content: Buffer): Promise<ParsedDocument> {
  let texts: string[];
  try {
    const { pages } = await extractPagesMarkdownAsync(content);
    // Pages come in order but are numbered from 0.
    texts = [...pages].sort((a, b) => a.page - b.page).map((page) => page.markdown);
  } catch (error) {
    if (/encrypt|password/i.test(String(error))) {
      throw new UnreadableDocument('The PDF is protected by a password. Remove the protection and add it again.');
    }
    texts = await parsePdfAgain(content);
  }
  texts = withoutRunningLines(texts.map(cleanText));
  const empty = texts.filter((text) => text.replace(/[\W\d_]+/g, '').length < 3).length;
  const title = pdfTitle(content) ?? firstHeading(texts[0] ?? '');
  const runs = runsOf(content);
  return {
    title,
    pageKind: 'page',
    pages: texts.map((text, index) => ({ page: index + 1, heading: null, text, runs: runs.get(index + 1) ?? [] })),
    notice:
      empty > 0 && empty < texts.length
        ? `${empty} of ${texts.length} pages have no text layer and cannot be found.`
        : null,
  };
}

/** The text of each page with its places, as a viewer shows the page; nothing when they cannot be read. */
function runsOf(content: Buffer): Map<number, TextRun[]> {
  const pages = new Map<number, TextRun[]>();
  try {
    // These pages are numbered from 1.
    for (const item of extractTextWithPositions(content, undefined, { frame: 'display' })) {
      if (item.itemType !== 'Text') continue;
      const { page, text, x, y, width, height } = item;
      // Text stands on its baseline; a fifth of its height hangs below.
      const box: TextRun['box'] = [x, y - height / 5, x + width, y + height];
      const runs = pages.get(page);
      if (runs) runs.push({ text, box });
      else pages.set(page, [{ text, box }]);
    }
  } catch {
    // The text itself was read: only its places are missing.
  }
  return pages;
}

/** The title in the file's own properties, unless it is just the name of a file or program. */
function pdfTitle(content: Buffer): string | null {
  try {
    const title = detectPdf(content).title?.normalize('NFC').trim();
    return title && !/^(microsoft|untitled|print|https?:)|\.(docx?|pdf|html?|indd|tex|dvi)$/i.test(title)
      ? title.slice(0, 200)
      : null;
  } catch {
    return null;
  }
}

/** Lines looked at from the top and the bottom of each page. */
const MARGIN_LINES = 2;

/** Drops running heads and feet: lines at a page's edge that stand, but for their numbers, on most pages. */
function withoutRunningLines(pages: readonly string[]): string[] {
  if (pages.length < 4) return [...pages];
  // A row of a table is never a running line; a bare page number is one of its own kind.
  const key = (line: string) => (isTableRow(line) ? line : line.replace(/[\d*_#]+/g, '').trim() || '#');
  const edges = pages.map((page) => {
    const lines = page.split('\n').filter((line) => line.trim() !== '');
    return new Set([...lines.slice(0, MARGIN_LINES), ...lines.slice(-MARGIN_LINES)].map(key));
  });
  const counts = new Map<string, number>();
  for (const edge of edges) for (const line of edge) counts.set(line, (counts.get(line) ?? 0) + 1);
  return pages.map((page, index) => {
    const lines = page.split('\n');
    // A page that is nearly nothing else keeps what it has.
    if (lines.filter((line) => line.trim() !== '').length <= 2 * MARGIN_LINES) return page;
    const kept = lines.filter((line, at) => {
      if (line.trim() === '' || isTableRow(line)) return true;
      const atEdge = edges[index]?.has(key(line)) && (at < 2 * MARGIN_LINES || at >= lines.length - 2 * MARGIN_LINES);
      return !atEdge || (counts.get(key(line)) ?? 0) < pages.length * 0.6;
    });
    return kept.join('\n').trim();
  });
}

const isTableRow = (line: string) => line.trimStart().startsWith('|');

/** A second reader for files the first one refuses. */
async function parsePdfAgain(content: Buffer): Promise<string[]> {
  try {
    const proxy = await getDocumentProxy(new Uint8Array(content), { isEvalSupported: false });
    const { text } = await extractText(proxy, { mergePages: false });
    return text;
  } catch (error) {
    if (/password/i.test(String(error))) {
      throw new UnreadableDocument('The PDF is protected by a password. Remove the protection and add it again.');
    }
    throw new UnreadableDocument('The PDF is damaged and cannot be read.');
  }
}

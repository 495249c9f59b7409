import { readFile } from 'node:fs/promises';
import { detectPdf, extractPagesMarkdownAsync } from '@firecrawl/pdf-inspector';
import { parseHTML } from 'linkedom';
import mammoth from 'mammoth';
import { extractText, getDocumentProxy } from 'unpdf';
import { DOCX, type MediaType } from './media-type';
import { type ParsedDocument, UnreadableDocument } from './parsed';
import { htmlToMarkdown } from './to-markdown';
import { checkZip } from './zip-guard';

/** Reads a file of a known format. Throws `UnreadableDocument` with a reason a person understands. */
export async function parseDocument(path: string, mediaType: MediaType): Promise<ParsedDocument> {
  const content = await readFile(path);
  if (content.length === 0) throw new UnreadableDocument('The file is empty.');
  const parsed = await parsers[mediaType](content);
  if (parsed.pages.every((page) => page.text.trim() === '')) {
    throw new UnreadableDocument(
      parsed.pageKind === 'page'
        ? `None of the ${parsed.pages.length} pages has a text layer: this looks like a scan. Run it through OCR and add it again.`
        : 'The file holds no text.',
    );
  }
  return parsed;
}

const parsers: Record<MediaType, (content: Buffer) => Promise<ParsedDocument>> = {
  'application/pdf': parsePdf,
  [DOCX]: parseDocx,
  'text/html': async (content) => parseHtml(decodeText(content)),
  'text/markdown': async (content) => toSections(decodeText(content)),
  'text/plain': async (content) => toSections(decodeText(content)),
};

async function parsePdf(content: Buffer): Promise<ParsedDocument> {
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
  return {
    title,
    pageKind: 'page',
    pages: texts.map((text, index) => ({ page: index + 1, heading: null, text })),
    notice:
      empty > 0 && empty < texts.length
        ? `${empty} of ${texts.length} pages have no text layer and cannot be found.`
        : null,
  };
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

async function parseDocx(content: Buffer): Promise<ParsedDocument> {
  checkZip(content);
  try {
    // Images carry no text, and an external one must never be fetched.
    const noImage = mammoth.images.imgElement(async () => ({ src: '' }));
    const { value } = await mammoth.convertToHtml(
      { buffer: content },
      { convertImage: noImage, externalFileAccess: false },
    );
    return toSections(htmlToMarkdown(value));
  } catch (error) {
    throw new UnreadableDocument('The Word document is damaged and cannot be read.', { cause: error });
  }
}

function parseHtml(html: string): ParsedDocument {
  const { document } = parseHTML(html);
  for (const element of document.querySelectorAll('script, style, noscript, template, svg, iframe, object'))
    element.remove();
  const title = document.querySelector('title')?.textContent?.trim() || null;
  const parsed = toSections(htmlToMarkdown(document.body?.innerHTML || html));
  return { ...parsed, title: title ?? parsed.title };
}

/** Least text of a section; a heading inside a shorter one does not start the next. */
const MIN_SECTION_CHARS = 600;

/** Formats without pages are divided at headings, so that a citation still names a place. */
function toSections(markdown: string): ParsedDocument {
  const sections: { heading: string | null; lines: string[]; size: number }[] = [];
  for (const line of cleanText(markdown).split('\n')) {
    const heading = /^#{1,3}\s+(.+)$/.exec(line)?.[1]?.replace(/[*_`]/g, '').trim() ?? null;
    const current = sections.at(-1);
    if (!current || (heading && current.size >= MIN_SECTION_CHARS))
      sections.push({ heading, lines: [line], size: line.length });
    else {
      current.heading ??= heading;
      current.lines.push(line);
      current.size += line.length;
    }
  }
  return {
    title: firstHeading(markdown),
    pageKind: 'section',
    pages: sections.map(({ heading, lines }, index) => ({ page: index + 1, heading, text: lines.join('\n').trim() })),
    notice: null,
  };
}

function firstHeading(markdown: string): string | null {
  const heading = /^#{1,2}\s+(.+)$/m
    .exec(markdown)?.[1]
    ?.replace(/[*_`#]/g, '')
    .trim();
  return heading ? heading.slice(0, 200) : null;
}

/** What typesetters join is spelled out; signs that mean something, such as ² or ½, stay as they are. */
const LIGATURES: Record<string, string> = { ﬀ: 'ff', ﬁ: 'fi', ﬂ: 'fl', ﬃ: 'ffi', ﬄ: 'ffl', ﬅ: 'st', ﬆ: 'st' };

/** Ligatures and odd blanks are spelled out, control characters dropped, runs of blank lines closed. */
function cleanText(text: string): string {
  return (
    text
      .normalize('NFC')
      .replace(/[ﬀ-ﬆ]/g, (ligature) => LIGATURES[ligature] ?? ligature)
      .replace(/[\u00a0\u2000-\u200a\u202f\u205f\u3000]/g, ' ')
      .replace(/\r\n?/g, '\n')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the purpose
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u200b\ufeff]/g, '')
      .replace(/<\/?u>/g, '')
      .replace(/[ \t]+$/gm, '')
      .replace(/\n{3,}/g, '\n\n')
      .trim()
  );
}

function decodeText(content: Buffer): string {
  if (content.length >= 2 && content.readUInt16LE(0) === 0xfeff) return new TextDecoder('utf-16le').decode(content);
  if (content.length >= 2 && content.readUInt16BE(0) === 0xfeff) return new TextDecoder('utf-16be').decode(content);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    return new TextDecoder('windows-1252').decode(content);
  }
}

import { readFile } from 'node:fs/promises';
import { parseCsv } from './formats/csv';
import { parseDocx } from './formats/docx';
import { parseEpub } from './formats/epub';
import { parseHtml } from './formats/html';
import { parsePdf } from './formats/pdf';
import { parsePptx } from './formats/pptx';
import { toSections } from './formats/sections';
import { decodeText } from './formats/text';
import { parseXlsx } from './formats/xlsx';
import { DOCX, EPUB, type MediaType, PPTX, XLSX } from './media-type';
import { type ParsedDocument, UnreadableDocument } from './parsed';

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
  [PPTX]: async (content) => parsePptx(content),
  [XLSX]: async (content) => parseXlsx(content),
  [EPUB]: async (content) => parseEpub(content),
  'text/csv': async (content) => parseCsv(decodeText(content)),
  'text/html': async (content) => parseHtml(decodeText(content)),
  'text/markdown': async (content) => toSections(decodeText(content)),
  'text/plain': async (content) => toSections(decodeText(content)),
};

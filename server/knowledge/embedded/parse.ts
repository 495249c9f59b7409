import { readFile } from 'node:fs/promises';
import { parseCsv } from './formats/csv';
import { parseDocx } from './formats/docx';
import { parseEpub } from './formats/epub';
import { parseHtml } from './formats/html';
import { parseMail } from './formats/mail';
import { parseMarkdown } from './formats/markdown';
import { parseOdf } from './formats/odf';
import { type PageRange, parsePdf } from './formats/pdf';
import { parsePptx } from './formats/pptx';
import { parseRtf } from './formats/rtf';
import { toSections } from './formats/sections';
import { decodeText } from './formats/text';
import { parseXlsx } from './formats/xlsx';
import { DOCX, EPUB, type MediaType, ODP, ODS, ODT, PPTX, XLSX } from './media-type';
import { joinNotices, type ParsedDocument, UnreadableDocument } from './parsed';

/** Reads a file of a known format. Throws `UnreadableDocument` with a reason a person understands. */
export async function parseDocument(file: {
  path: string;
  mediaType: MediaType;
  part?: PageRange;
}): Promise<ParsedDocument> {
  const content = await readFile(file.path);
  if (content.length === 0) throw new UnreadableDocument('The file is empty.');
  const parsed =
    file.mediaType === 'application/pdf' ? await parsePdf(content, file.part) : await parsers[file.mediaType](content);
  if (parsed.pages.every((page) => page.text.trim() === '')) throw new UnreadableDocument(emptyReason(parsed));
  return parsed;
}

/** A part of a file may be empty where the whole is not: then the reason is of no use, but true. */
function emptyReason({ pageKind, pages, gaps = 0, notice }: ParsedDocument): string {
  if (pageKind === 'section') return ['The file holds no text.', notice].filter(Boolean).join(' ');
  if (gaps === 0) return `None of the ${pages.length} pages holds any text.`;
  if (notice?.includes('fonts'))
    return `${notice} Export the document again with its fonts embedded, or run it through OCR.`;
  return `None of the ${pages.length} pages has a text layer: this looks like a scan. Run it through OCR and add it again.`;
}

/** A format of plain text, whatever its encoding. */
const ofText =
  (parse: (text: string) => ParsedDocument) =>
  async (content: Buffer): Promise<ParsedDocument> => {
    const { text, notice } = decodeText(content);
    const parsed = parse(text);
    return { ...parsed, notice: joinNotices(parsed.notice, notice) };
  };

const parsers: Record<Exclude<MediaType, 'application/pdf'>, (content: Buffer) => Promise<ParsedDocument>> = {
  [DOCX]: async (content) => parseDocx(content),
  [PPTX]: async (content) => parsePptx(content),
  [XLSX]: async (content) => parseXlsx(content),
  [EPUB]: async (content) => parseEpub(content),
  [ODT]: async (content) => parseOdf(content),
  [ODS]: async (content) => parseOdf(content),
  [ODP]: async (content) => parseOdf(content),
  'application/rtf': async (content) => parseRtf(content),
  'message/rfc822': parseMail,
  'text/csv': ofText(parseCsv),
  'text/html': ofText(parseHtml),
  'text/markdown': ofText(parseMarkdown),
  'text/plain': ofText(toSections),
};

import mammoth from 'mammoth';
import { type ParsedDocument, UnreadableDocument } from '../parsed';
import { checkZip } from './archive';
import { toSections } from './sections';
import { htmlToMarkdown } from './to-markdown';

/** Headings, lists and tables of a Word document, without its pictures. */
export async function parseDocx(content: Buffer): Promise<ParsedDocument> {
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

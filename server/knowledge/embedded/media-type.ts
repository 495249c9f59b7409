import { open } from 'node:fs/promises';

/** Formats that Ivy reads. The content decides; the name only tells text formats apart. */
export type MediaType =
  | 'application/pdf'
  | 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'
  | 'application/vnd.openxmlformats-officedocument.presentationml.presentation'
  | 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'
  | 'application/epub+zip'
  | 'text/csv'
  | 'text/html'
  | 'text/markdown'
  | 'text/plain';

export const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
export const PPTX = 'application/vnd.openxmlformats-officedocument.presentationml.presentation';
export const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
export const EPUB = 'application/epub+zip';
/** The file by which each kind of archive is known. */
const ARCHIVES: readonly [file: string, type: MediaType][] = [
  ['word/document.xml', DOCX],
  ['ppt/presentation.xml', PPTX],
  ['xl/workbook.xml', XLSX],
];
const HEAD_BYTES = 8 * 1024;
const TAIL_BYTES = 1024 * 1024;
/** The container of Office before 2007, and of protected documents since. */
const OLE = Buffer.from('d0cf11e0a1b11ae1', 'hex');

/** A kind of file that Ivy knows but does not read, with what to do about it. */
export class UnsupportedFile extends Error {
  override readonly name = 'UnsupportedFile';
}

/** The format of a file; undefined for binary content that no parser here reads. Throws `UnsupportedFile`. */
export async function detectMediaType(path: string, name: string): Promise<MediaType | undefined> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const head = await readAt(file, 0, Math.min(HEAD_BYTES, size));
    // The PDF header may follow up to 1 KB of other bytes.
    if (head.subarray(0, 1024).includes('%PDF-')) return 'application/pdf';
    if (head.subarray(0, 4).equals(Buffer.from('PK\x03\x04', 'latin1'))) {
      // The list of a zip's entries stands at its end.
      const tail = await readAt(file, Math.max(0, size - TAIL_BYTES), Math.min(TAIL_BYTES, size));
      if (head.includes('mimetypeapplication/epub+zip')) return EPUB;
      return ARCHIVES.find(([file]) => tail.includes(file))?.[1];
    }
    if (head.subarray(0, OLE.length).equals(OLE)) {
      throw new UnsupportedFile(
        'is an Office file of before 2007 (doc, xls, ppt), or protected by a password. Save it as docx, xlsx or pptx without a password.',
      );
    }
    return textType(head, name, size);
  } finally {
    await file.close();
  }
}

async function readAt(file: Awaited<ReturnType<typeof open>>, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

function textType(head: Buffer, name: string, size: number): MediaType | undefined {
  const utf16 = head.length >= 2 && (head.readUInt16LE(0) === 0xfeff || head.readUInt16BE(0) === 0xfeff);
  if (!utf16 && (head.includes(0) || !looksLikeText(head, size))) return undefined;
  const start = head.toString('utf8').trimStart().slice(0, 512).toLowerCase();
  if (/^(?:<!--[\s\S]*?-->\s*)?(?:<!doctype html|<html|<head|<body)/.test(start.replace(/^<\?xml[^>]*>\s*/, '')))
    return 'text/html';
  if (/\.(csv|tsv)$/i.test(name)) return 'text/csv';
  return /\.(md|markdown|mdx)$/i.test(name) ? 'text/markdown' : 'text/plain';
}

/** UTF-8, or an 8-bit text with hardly any control characters. */
function looksLikeText(head: Buffer, size: number): boolean {
  const whole = head.length === size;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(whole ? head : head.subarray(0, lastCharacterStart(head)));
    return true;
  } catch {
    let control = 0;
    for (const byte of head) if (byte < 9 || (byte > 13 && byte < 32) || (byte >= 127 && byte < 160)) control += 1;
    return control / Math.max(1, head.length) < 0.01;
  }
}

/** Where the last, possibly cut, UTF-8 character of a buffer begins. */
function lastCharacterStart(buffer: Buffer): number {
  let at = buffer.length - 1;
  while (at > 0 && at > buffer.length - 4 && ((buffer[at] ?? 0) & 0xc0) === 0x80) at -= 1;
  return at;
}

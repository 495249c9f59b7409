import { open } from 'node:fs/promises';

/** Formats that Ivy reads. The content decides; the name only tells text formats apart. */
export type MediaType =
  | 'application/pdf'
  | 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'
  | 'application/vnd.openxmlformats-officedocument.presentationml.presentation'
  | 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'
  | 'application/vnd.oasis.opendocument.text'
  | 'application/vnd.oasis.opendocument.spreadsheet'
  | 'application/vnd.oasis.opendocument.presentation'
  | 'application/epub+zip'
  | 'application/rtf'
  | 'message/rfc822'
  | 'text/csv'
  | 'text/html'
  | 'text/markdown'
  | 'text/plain';

export const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
export const PPTX = 'application/vnd.openxmlformats-officedocument.presentationml.presentation';
export const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
export const ODT = 'application/vnd.oasis.opendocument.text';
export const ODS = 'application/vnd.oasis.opendocument.spreadsheet';
export const ODP = 'application/vnd.oasis.opendocument.presentation';
export const EPUB = 'application/epub+zip';
/** The folder that each kind of Office archive keeps its parts in, whatever their names. */
const OFFICE: readonly [folder: string, usual: string, type: MediaType][] = [
  ['word/', 'word/document.xml', DOCX],
  ['ppt/', 'ppt/presentation.xml', PPTX],
  ['xl/', 'xl/workbook.xml', XLSX],
];
const HEAD_BYTES = 64 * 1024;
const TAIL_BYTES = 1024 * 1024;
/** Of the head, what decides about text. */
const TEXT_HEAD_BYTES = 8 * 1024;
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
    const tail = await readAt(file, Math.max(0, size - TAIL_BYTES), Math.min(TAIL_BYTES, size));
    if (isPdf(head, tail)) return 'application/pdf';
    if (head.subarray(0, 4).equals(Buffer.from('PK\x03\x04', 'latin1'))) return archiveType(head, tail);
    if (head.subarray(0, OLE.length).equals(OLE)) {
      throw new UnsupportedFile(
        'is an Office file of before 2007 (doc, xls, ppt), or protected by a password. Save it as docx, xlsx or pptx without a password.',
      );
    }
    if (head.subarray(0, 5).toString('latin1') === '{\\rtf') return 'application/rtf';
    return textType(head.subarray(0, TEXT_HEAD_BYTES), name, size);
  } finally {
    await file.close();
  }
}

async function readAt(file: Awaited<ReturnType<typeof open>>, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** The header may follow up to 1 KB of other bytes; a text that merely speaks of it does not end as a PDF does. */
function isPdf(head: Buffer, tail: Buffer): boolean {
  const at = head.subarray(0, 1024).indexOf('%PDF-');
  if (at < 0) return false;
  return at === 0 || tail.includes('startxref') || tail.includes('%%EOF');
}

/** The list of a zip's entries stands at its end. */
function archiveType(head: Buffer, tail: Buffer): MediaType | undefined {
  // The next entry begins right behind it, with `PK`.
  const mimetype = /mimetype(application\/[a-z+.-]+)/.exec(head.subarray(0, 200).toString('latin1'))?.[1];
  if (mimetype === EPUB || tail.includes('META-INF/container.xml')) return EPUB;
  if (mimetype === ODT || mimetype === ODS || mimetype === ODP) return mimetype;
  if (
    mimetype?.startsWith('application/vnd.oasis.opendocument') ||
    (tail.includes('content.xml') && tail.includes('META-INF/manifest.xml'))
  ) {
    if (mimetype === undefined) return ODT;
    throw new UnsupportedFile(
      'is an OpenDocument file of a kind that Ivy does not read. Save it as odt, ods, odp or PDF.',
    );
  }
  // A file that is cut off may lack the list of its parts; its reader says so.
  const listed = tail.includes('[Content_Types].xml') || head.includes('[Content_Types].xml');
  for (const [folder, usual, type] of OFFICE) {
    if (tail.includes(usual) || (listed && (tail.includes(folder) || head.includes(folder)))) return type;
  }
  if (tail.includes('.reqif')) throw new UnsupportedFile(REQIF);
  return undefined;
}

const REQIF = 'is a ReqIF file, which Ivy does not read yet. Export the requirements as docx, xlsx, CSV or PDF.';
/** A page that begins with an element of HTML. */
const FRAGMENT =
  /^<(?:!doctype html|html|head|body|title|h[1-6]|p|div|table|ul|ol|dl|section|article|main|header|nav|span|style|script|meta|link|center|font|pre|blockquote|a|b|i|strong|em|br|hr|img|form)\b[^>]*>/i;
const MAIL_HEADER =
  /^(?:from|to|cc|subject|date|message-id|mime-version|content-type|received|return-path|reply-to|sender|x-[\w-]+|delivered-to|dkim-signature|snapshot-content-location)\s*:/i;

function textType(head: Buffer, name: string, size: number): MediaType | undefined {
  const utf16 = isUtf16(head);
  if (!utf16 && (head.includes(0) || !looksLikeText(head, size))) return undefined;
  const start = (utf16 ? decodeUtf16(head) : head.toString('utf8'))
    .replace(/^\ufeff/, '')
    .trimStart()
    .slice(0, 4_000);
  const root = start.replace(/^<\?xml[^>]{0,500}>\s*/i, '').replace(/^(?:<!--[\s\S]{0,2000}?-->\s*)*/, '');
  if (/^<(?:[\w-]+:)?REQ-IF\b/.test(root)) throw new UnsupportedFile(REQIF);
  const named = (extensions: RegExp) => extensions.test(name);
  if (!named(/\.(?:md|markdown|mdx|csv|tsv)$/i) && FRAGMENT.test(root)) return 'text/html';
  if (isMail(start, named(/\.(?:eml|mht|mhtml)$/i))) return 'message/rfc822';
  if (named(/\.(?:csv|tsv)$/i)) return 'text/csv';
  return named(/\.(?:md|markdown|mdx)$/i) ? 'text/markdown' : 'text/plain';
}

/** Header lines as mails begin with; without its name at least three of them, one of which only mails have. */
function isMail(start: string, named: boolean): boolean {
  const headers =
    /^[\s\S]*?\r?\n\r?\n/
      .exec(`${start}\n\n`)?.[0]
      .split(/\r?\n/)
      .filter((line) => line !== '' && !/^\s/.test(line)) ?? [];
  const known = headers.filter((line) => MAIL_HEADER.test(line)).length;
  if (named) return known >= 1;
  const technical = /^(?:mime-version|message-id|received|return-path)\s*:/im.test(start.slice(0, 2_000));
  return technical && known >= 3 && headers.every((line) => /^[\w-]+\s*:/.test(line));
}

function isUtf16(head: Buffer): boolean {
  if (head.length < 2) return false;
  if (head.readUInt16LE(0) === 0xfeff || head.readUInt16BE(0) === 0xfeff) return true;
  const zeros = [0, 0];
  for (const [index, byte] of head.entries()) if (byte === 0) zeros[index % 2] = (zeros[index % 2] ?? 0) + 1;
  const half = head.length / 2;
  const [even = 0, odd = 0] = zeros;
  return (odd > half * 0.4 && even < half * 0.05) || (even > half * 0.4 && odd < half * 0.05);
}

function decodeUtf16(head: Buffer): string {
  const little = head.readUInt16LE(0) === 0xfeff || head[1] === 0;
  return new TextDecoder(little ? 'utf-16le' : 'utf-16be').decode(head);
}

/** UTF-8, or a text in another encoding with hardly any control characters. */
function looksLikeText(head: Buffer, size: number): boolean {
  const whole = head.length === size;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(whole ? head : head.subarray(0, lastCharacterStart(head)));
    return true;
  } catch {
    let control = 0;
    // What is no control character in any encoding of text: those above 127 are letters in many.
    for (const byte of head)
      if (byte < 9 || (byte > 13 && byte < 27) || (byte > 27 && byte < 32) || byte === 127) control += 1;
    return control / Math.max(1, head.length) < 0.01;
  }
}

/** Where the last, possibly cut, UTF-8 character of a buffer begins. */
function lastCharacterStart(buffer: Buffer): number {
  let at = buffer.length - 1;
  while (at > 0 && at > buffer.length - 4 && ((buffer[at] ?? 0) & 0xc0) === 0x80) at -= 1;
  return at;
}

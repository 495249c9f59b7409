import { open } from 'node:fs/promises';

/** Formats that Ivy reads. The content decides; the name only tells text formats apart. */
export type MediaType =
  | 'application/pdf'
  | 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'
  | 'text/html'
  | 'text/markdown'
  | 'text/plain';

export const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
const HEAD_BYTES = 8 * 1024;
const TAIL_BYTES = 128 * 1024;

/** The format of a file; undefined for binary content that no parser here reads. */
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
      return tail.includes('word/document.xml') ? DOCX : undefined;
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

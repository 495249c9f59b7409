import { analyse } from 'chardet';

/** What typesetters join is spelled out; signs that mean something, such as ² or ½, stay as they are. */
const LIGATURES: Record<string, string> = { ﬀ: 'ff', ﬁ: 'fi', ﬂ: 'fl', ﬃ: 'ffi', ﬄ: 'ffl', ﬅ: 'st', ﬆ: 'st' };

/** Ligatures and odd blanks are spelled out, control characters dropped, runs of blank lines closed. */
export function cleanText(text: string): string {
  const clean = text
    .normalize('NFC')
    .replace(/[ﬀ-ﬆ]/g, (ligature) => LIGATURES[ligature] ?? ligature)
    .replace(/[\u00a0\u2000-\u200a\u202f\u205f\u3000]/g, ' ')
    .replace(/\r\n?/g, '\n')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the purpose
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u200b\ufeff]/g, '')
    .replace(/<\/?u>/g, '');
  return closeBlanks(clean).trim();
}

/** Without blanks at the ends of lines, and with at most one empty line in a row. Linear: patterns for it are not. */
function closeBlanks(text: string): string {
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    const trimmed = line.trimEnd();
    if (trimmed !== '' || lines.at(-1) !== '') lines.push(trimmed);
  }
  return lines.join('\n');
}

export interface Decoded {
  text: string;
  /** What was assumed about the encoding, for the reader. */
  notice: string | null;
}

/** Bytes that are no UTF-8 in a text that otherwise is: of its characters beyond ASCII, at most this share. */
const MAX_BAD_SHARE = 0.02;
/** An encoding that is not UTF-8 is guessed from this much. */
const SAMPLE_BYTES = 256 * 1024;
/** Of two guesses about as good, the more usual one. */
const USUAL = ['windows-1252', 'windows-1251', 'shift_jis', 'gb18030', 'euc-kr', 'big5', 'koi8-r'];

/** Text of any encoding: by its mark, else UTF-8, else the most plausible one, which the notice names. */
export function decodeText(content: Buffer): Decoded {
  const marked = byMark(content);
  if (marked) return { text: new TextDecoder(marked).decode(content), notice: null };
  const text = new TextDecoder('utf-8').decode(content);
  const bad = countOf(text, '\ufffd') - countOf(content, Buffer.from('\ufffd'));
  if (bad === 0) return { text, notice: null };
  const beyond = text.length - text.replace(/[^\0-\x7f]/g, '').length;
  if (bad <= Math.max(beyond * MAX_BAD_SHARE, beyond > 4 * bad ? 1 : 0)) {
    return { text, notice: `${bad === 1 ? 'One byte is' : `${bad} bytes are`} not valid UTF-8 and shown as “\ufffd”.` };
  }
  const encoding = guess(content);
  return {
    text: new TextDecoder(encoding).decode(content),
    notice: `The file is not UTF-8; it was read as ${encoding}.`,
  };
}

function byMark(content: Buffer): string | undefined {
  if (content.length < 2) return undefined;
  if (content.readUInt16LE(0) === 0xfeff) return 'utf-16le';
  if (content.readUInt16BE(0) === 0xfeff) return 'utf-16be';
  // Latin text in UTF-16 has a zero in every second byte.
  const head = content.subarray(0, 2_000);
  const zeros = [0, 1].map((odd) => head.filter((byte, index) => byte === 0 && index % 2 === odd).length);
  const half = head.length / 2;
  if ((zeros[1] ?? 0) > half * 0.4 && (zeros[0] ?? 0) < half * 0.05) return 'utf-16le';
  if ((zeros[0] ?? 0) > half * 0.4 && (zeros[1] ?? 0) < half * 0.05) return 'utf-16be';
  return undefined;
}

function guess(content: Buffer): string {
  const candidates = analyse(content.subarray(0, SAMPLE_BYTES))
    .map(({ name, confidence }) => ({ name: toLabel(name), confidence }))
    .filter(({ name }) => name !== 'utf-8' && isKnown(name));
  const best = candidates[0]?.confidence ?? 0;
  const close = candidates.filter(({ confidence }) => confidence >= best - 5);
  return USUAL.find((name) => close.some((candidate) => candidate.name === name)) ?? close[0]?.name ?? 'windows-1252';
}

/** The Latin encodings of ISO are subsets of Windows' ones, as the WHATWG has it. */
function toLabel(name: string): string {
  const lower = name.toLowerCase();
  return lower === 'iso-8859-1' ? 'windows-1252' : lower === 'iso-8859-9' ? 'windows-1254' : lower;
}

function isKnown(label: string): boolean {
  try {
    new TextDecoder(label);
    return true;
  } catch {
    return false;
  }
}

function countOf(text: { indexOf(part: never, from: number): number }, part: string | Buffer): number {
  let count = 0;
  for (let at = text.indexOf(part as never, 0); at >= 0; at = text.indexOf(part as never, at + part.length)) count += 1;
  return count;
}

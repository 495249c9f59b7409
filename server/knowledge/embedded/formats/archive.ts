import { unzipSync } from 'fflate';
import { UnreadableDocument } from '../parsed';

const MAX_UNPACKED_BYTES = 300 * 1024 * 1024;
const MAX_ENTRIES = 20_000;
const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;

/**
 * Refuses a zip that would unpack to far more than a document needs, going by its directory
 * (APPNOTE.TXT 4.3.12, 4.3.16). A directory that lies is left to the parsing process's own limits.
 */
export function checkZip(zip: Buffer): void {
  const end = zip.subarray(Math.max(0, zip.length - 65_557)).lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  const at = Math.max(0, zip.length - 65_557) + end;
  if (end < 0 || zip.readUInt32LE(at) !== END_OF_DIRECTORY)
    throw new UnreadableDocument('The file is damaged and cannot be read.');
  const entries = zip.readUInt16LE(at + 10);
  if (entries > MAX_ENTRIES)
    throw new UnreadableDocument(`The file holds ${entries} parts, far more than a document has.`);
  let position = zip.readUInt32LE(at + 16);
  let unpacked = 0;
  for (let entry = 0; entry < entries; entry++) {
    if (position + 46 > zip.length || zip.readUInt32LE(position) !== DIRECTORY_ENTRY) return;
    unpacked += zip.readUInt32LE(position + 24);
    if (unpacked > MAX_UNPACKED_BYTES) {
      throw new UnreadableDocument('The file would unpack to more than 300 MB, far more than a document needs.');
    }
    position +=
      46 + zip.readUInt16LE(position + 28) + zip.readUInt16LE(position + 30) + zip.readUInt16LE(position + 32);
  }
}

/** The files of a zip whose names match, as text. Throws `UnreadableDocument` for a damaged or dangerous one. */
export function readZip(zip: Buffer, wanted: RegExp): Map<string, string> {
  checkZip(zip);
  try {
    // Inflating stops at the size that the directory names, so that one which lies gains nothing.
    const files = unzipSync(zip, { filter: ({ name }) => wanted.test(name) });
    return new Map(Object.entries(files).map(([name, content]) => [name, Buffer.from(content).toString('utf8')]));
  } catch (error) {
    throw new UnreadableDocument('The file is damaged and cannot be read.', { cause: error });
  }
}

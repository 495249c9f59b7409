import { createHash, randomBytes } from 'node:crypto';

/** A random id that is safe in URLs, file names and headers: prefix and 24 hex digits (96 bits). */
export function createId(prefix: string): string {
  return `${prefix}_${randomBytes(12).toString('hex')}`;
}

/** The same text gives the same 16 hex digits: a name for things that have none, no protection. */
export function shortDigest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

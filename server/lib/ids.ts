import { randomBytes } from 'node:crypto';

/** A random id that is safe in URLs, file names and headers: prefix and 24 hex digits (96 bits). */
export function createId(prefix: string): string {
  return `${prefix}_${randomBytes(12).toString('hex')}`;
}

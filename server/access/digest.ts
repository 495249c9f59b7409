import { createHash, timingSafeEqual } from 'node:crypto';

/** SHA-256 in hex. Enough for random secrets of 128 bits and more: there is nothing to guess faster. */
export function digest(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Compares two secrets in constant time, whatever their lengths. */
export function sameSecret(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(digest(a), 'hex'), Buffer.from(digest(b), 'hex'));
}

import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify(scrypt) as (password: string, salt: Buffer, length: number) => Promise<Buffer>;
const LENGTH = 32;

/** A salted mark that tells later whether the password is still the same, and nothing else. */
export async function createMark(password: string): Promise<string> {
  const salt = randomBytes(16);
  return `${salt.toString('hex')}:${(await derive(password, salt, LENGTH)).toString('hex')}`;
}

export async function matchesMark(password: string, mark: string): Promise<boolean> {
  const [salt, hash] = mark.split(':').map((part) => Buffer.from(part, 'hex'));
  if (!salt || hash?.length !== LENGTH) return false;
  return timingSafeEqual(await derive(password, salt, LENGTH), hash);
}

import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { forwardedUser } from './forwarded-user';

const secret = 'a-secret-of-16-and-more';
const now = Date.now();
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token as Open WebUI signs it, changed as told. */
function token(claims: object = {}, head: object = { alg: 'HS256', typ: 'JWT' }, key = secret): string {
  const body = `${part(head)}.${part({ sub: 'u1', iss: 'open-webui', exp: now / 1000 + 300, ...claims })}`;
  return `${body}.${createHmac('sha256', key).update(body).digest('base64url')}`;
}

const user = (headers: Record<string, string>, trust: Partial<Parameters<typeof forwardedUser>[1]> = {}) =>
  forwardedUser(new Headers(headers), { plain: false, secret, ...trust }, now);

test('a plain header counts only when it is trusted', () => {
  const headers = { 'x-openwebui-user-id': ' u1 ' };
  expect(user(headers)).toBeUndefined();
  expect(user(headers, { plain: true })).toBe('u1');
  expect(user({ 'x-openwebui-user-id': 'x'.repeat(900) }, { plain: true })).toHaveLength(200);
  expect(user({}, { plain: true })).toBeUndefined();
});

test('a signed token counts, and wins over the plain header', () => {
  const headers = { 'x-openwebui-user-jwt': token(), 'x-openwebui-user-id': 'other' };
  expect(user(headers, { plain: true })).toBe('u1');
  expect(user(headers, { secret: undefined })).toBeUndefined();
});

test.each([
  ['signed with another secret', token({}, undefined, 'another-secret-000')],
  ['unsigned', `${part({ alg: 'none' })}.${part({ sub: 'u1', iss: 'open-webui', exp: now })}.`],
  ['of another algorithm', token({}, { alg: 'HS512' })],
  ['expired', token({ exp: now / 1000 - 1 })],
  ['without an end', token({ exp: undefined })],
  ['of another issuer', token({ iss: 'evil' })],
  ['without a user', token({ sub: '' })],
  ['changed', token().replace(/\.[^.]+\./, `.${part({ sub: 'admin', iss: 'open-webui', exp: now })}.`)],
  ['garbage', 'a.b.c'],
  ['empty parts', '..'],
])('a token that is %s does not, nor does the plain header beside it', (_, value) => {
  expect(user({ 'x-openwebui-user-jwt': value, 'x-openwebui-user-id': 'u1' }, { plain: true })).toBeUndefined();
});

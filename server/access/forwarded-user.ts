import { createHmac } from 'node:crypto';
import { sameSecret } from './digest';

const MAX_USER_CHARS = 200;

/**
 * The end user behind a client that speaks for many, such as Open WebUI: by its signed token
 * (`FORWARD_USER_INFO_HEADER_JWT_SECRET` there, `OPENWEBUI_JWT_SECRET` here), or by its plain header, which anybody
 * could send and which therefore counts only for keys that are marked as trusted.
 */
export function forwardedUser(
  headers: Headers,
  trust: { plain: boolean; secret: string | undefined },
  now = Date.now(),
): string | undefined {
  const token = headers.get('x-openwebui-user-jwt');
  if (token && trust.secret) return fromToken(token, trust.secret, now);
  const plain = trust.plain ? headers.get('x-openwebui-user-id')?.trim() : undefined;
  return plain ? plain.slice(0, MAX_USER_CHARS) : undefined;
}

/** The subject of a valid HS256 token; no other algorithm is accepted, whatever the token says. */
function fromToken(token: string, secret: string, now: number): string | undefined {
  const [head, body, signature, ...rest] = token.split('.');
  if (!head || !body || !signature || rest.length > 0) return undefined;
  const expected = createHmac('sha256', secret).update(`${head}.${body}`).digest('base64url');
  if (!sameSecret(signature, expected) || parse(head)?.['alg'] !== 'HS256') return undefined;
  const claims = parse(body);
  if (claims?.['iss'] !== 'open-webui') return undefined;
  if (typeof claims['exp'] !== 'number' || claims['exp'] * 1000 <= now) return undefined;
  const id = claims['sub'] ?? claims['id'];
  return typeof id === 'string' && id !== '' ? id.slice(0, MAX_USER_CHARS) : undefined;
}

function parse(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

import { type NextRequest, NextResponse } from 'next/server';

/** Where OpenAI clients ask whose base URL lacks its end. */
const WITHOUT_V1 = /^\/(?:chat\/completions|completions|models|embeddings|responses)\/?$/;

/**
 * Sets the content security policy of pages, with a fresh nonce that Next puts on its scripts, and lets
 * pages only be read: a POST to one is how server actions are called, of which there are none. This is
 * all it does: authorisation happens inside handlers and procedures (docs/decisions/0003). A policy or nonce
 * that the request itself carries is overwritten.
 */
export function proxy(request: NextRequest): NextResponse {
  if (WITHOUT_V1.test(request.nextUrl.pathname)) {
    const message = `There is no ${request.nextUrl.pathname} here. The base URL has to end with /v1.`;
    return NextResponse.json(
      { error: { message, type: 'invalid_request_error', param: null, code: 'not_found' } },
      { status: 404 },
    );
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    const message = `${request.method} is not possible here.`;
    const error = { message, type: 'invalid_request_error', param: null, code: null };
    return NextResponse.json({ error }, { status: 405, headers: { allow: 'GET, HEAD' } });
  }
  const nonce = btoa(crypto.randomUUID());
  const development = process.env.NODE_ENV === 'development';
  const policy = [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'${development ? " 'unsafe-eval'" : ''}`,
    `style-src 'self' ${development ? "'unsafe-inline'" : `'nonce-${nonce}'`}`,
    "style-src-attr 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');
  const headers = new Headers(request.headers);
  headers.set('content-security-policy', policy);
  headers.set('x-nonce', nonce);
  const response = NextResponse.next({ request: { headers } });
  response.headers.set('content-security-policy', policy);
  response.headers.set('x-content-type-options', 'nosniff');
  response.headers.set('referrer-policy', 'no-referrer');
  response.headers.set('x-frame-options', 'DENY');
  return response;
}

export const config = {
  matcher: ['/((?!v1/|v1$|query|documents|health|ready|api/|_next/).*)'],
};

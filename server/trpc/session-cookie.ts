/** Kept in step with the access layer, which reads the cookie. */
const NAME = 'ivy_session';

/** The header that starts a session in the browser, or ends it when given null. */
export function toSetCookie(session: { token: string; maxAgeSeconds: number } | null, publicUrl: string): string {
  const secure = publicUrl.startsWith('https:') ? '; Secure' : '';
  const { token, maxAgeSeconds } = session ?? { token: '', maxAgeSeconds: 0 };
  return `${NAME}=${token}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict${secure}`;
}

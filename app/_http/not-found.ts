import { AppError } from '@/server/core/errors';
import { preflight, route } from './route';

/** For paths that do not exist below the API: Next's own 404 is an HTML page, which clients cannot read. */
const notFound = route<unknown>('public', async ({ request }) => {
  const { pathname } = new URL(request.url);
  const hint = hintFor(pathname);
  throw new AppError('not_found', `There is no ${request.method} ${pathname} here.${hint}`);
});

// What a route below the API exports that has no method of its own.
export {
  notFound as DELETE,
  notFound as GET,
  notFound as PATCH,
  notFound as POST,
  notFound as PUT,
  preflight as OPTIONS,
};

/** What is probably wrong with a client's base URL. */
function hintFor(pathname: string): string {
  if (/^\/v1\/v1\//.test(pathname)) return ' The base URL names /v1 twice: it should end with /v1 once.';
  if (/^\/api\//.test(pathname))
    return ' This is not Ollama: choose an OpenAI-compatible connection with a base URL that ends with /v1.';
  return '';
}

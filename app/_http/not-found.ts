import { AppError } from '@/server/core/errors';
import { route } from './route';

/** For paths that do not exist below the API: Next's own 404 is an HTML page, which clients cannot read. */
export const notFound = route<unknown>('public', async ({ request }) => {
  throw new AppError('not_found', `There is no ${request.method} ${new URL(request.url).pathname} here.`);
});

import { fetchRequestHandler } from '@trpc/server/adapters/fetch';
import { checkJsonType, readBody } from '@/app/_http/read-json';
import { methodNotAllowed, route } from '@/app/_http/route';
import { appRouter } from '@/server/trpc/router';
import { toSetCookie } from '@/server/trpc/session-cookie';

const MAX_BODY_BYTES = 1024 * 1024;

/** Authorisation happens inside every procedure. */
const handler = route<{ trpc: string }>('public', async ({ request, services }) => {
  let call = request;
  if (request.method === 'POST') {
    // Mutations sent as a cross-site form would be executed otherwise.
    checkJsonType(request);
    const { url, method, headers, signal } = request;
    call = new Request(url, { method, headers, signal, body: await readBody(request, MAX_BODY_BYTES) });
  }
  return fetchRequestHandler({
    endpoint: '/api/trpc',
    req: call,
    router: appRouter,
    maxBatchSize: 10,
    createContext: ({ resHeaders }) => ({
      services,
      request,
      setSession: (session) => {
        resHeaders.append('set-cookie', toSetCookie(session, services.config.config.publicUrl));
      },
    }),
  });
});

export const GET = handler;
export const POST = handler;
export const PUT = methodNotAllowed('GET', 'POST');
export const PATCH = PUT;
export const DELETE = PUT;

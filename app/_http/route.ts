import { AppError, toAppError } from '@/server/core/errors';
import type { Principal } from '@/server/core/run';
import { createId } from '@/server/lib/ids';
import { log } from '@/server/lib/log';
import { toErrorBody } from '@/server/openai/errors';
import { getServices } from '@/server/services/runtime';
import type { Services } from '@/server/services/services';

export interface Call<Params> {
  request: Request;
  params: Params;
  services: Services;
  principal: Principal;
  /** Stands in every response and in the log. */
  requestId: string;
}

type Audience = Parameters<Services['access']['authorize']>[1];
type Handler<Params> = (call: Call<Params>) => Promise<Response>;
type RouteContext<Params> = { params: Promise<Params> };

/**
 * A route handler that authorises first and answers JSON in every case. Next itself would turn a
 * thrown error into an empty or HTML body, which makes clients wait for ever.
 */
export function route<Params = Record<string, never>>(audience: Audience | 'public', handler: Handler<Params>) {
  return async (request: Request, context: RouteContext<Params>): Promise<Response> => {
    const requestId = createId('req');
    let services: Services | undefined;
    let response: Response;
    try {
      services = await getServices();
      const principal =
        audience === 'public'
          ? ANYONE
          : await services.access.authorize(request, audience, { cors: isOpenToOrigins(request) });
      response = await handler({ request, params: await context.params, services, principal, requestId });
    } catch (error) {
      // The caller has gone: nobody reads this, and nothing went wrong.
      response = request.signal.aborted ? new Response(null, { status: 499 }) : toErrorResponse(error, requestId);
    }
    return withHeaders(response, request, requestId, services);
  };
}

const ANYONE: Principal = { id: 'anyone', kind: 'local', role: 'member', name: 'anyone' };

/** For the methods a path does not have: Next would answer 405 without a body. */
export function methodNotAllowed(...allowed: string[]) {
  return route<unknown>('public', async ({ request, requestId }) => {
    const error = new AppError(
      'method_not_allowed',
      `${request.method} is not possible here; use ${allowed.join(' or ')}.`,
    );
    const response = toErrorResponse(error, requestId);
    response.headers.set('allow', allowed.join(', '));
    return response;
  });
}

/** Answers CORS preflights: with permission for the origins of IVY_CORS_ORIGINS, without it for all others. */
export const preflight = route<unknown>('public', async () => new Response(null, { status: 204 }));

export function toErrorResponse(error: unknown, requestId: string): Response {
  const failure = toAppError(error);
  if (failure.status >= 500)
    log.error({ err: failure.cause ?? failure, request: requestId, code: failure.code }, failure.message);
  const headers = new Headers();
  if (failure.retryAfterSeconds !== undefined) headers.set('retry-after', String(Math.ceil(failure.retryAfterSeconds)));
  // The rest of a refused body may still be on its way: the connection must not carry another request.
  if (failure.status === 413 || failure.status === 415) headers.set('connection', 'close');
  return Response.json(toErrorBody(failure), { status: failure.status, headers });
}

function withHeaders(
  response: Response,
  request: Request,
  requestId: string,
  services: Services | undefined,
): Response {
  const { headers } = response;
  headers.set('x-request-id', requestId);
  headers.set('x-content-type-options', 'nosniff');
  if (!headers.has('cache-control')) headers.set('cache-control', 'private, no-store');
  if (!isOpenToOrigins(request)) return response;
  headers.append('vary', 'origin');
  const origin = request.headers.get('origin');
  if (!origin || !services?.config.config.corsOrigins.includes(origin)) return response;
  headers.set('access-control-allow-origin', origin);
  headers.set(
    'access-control-expose-headers',
    'x-request-id, x-ivy-rag, x-ivy-cited, x-ivy-left-out, x-ivy-ignored-params, retry-after',
  );
  const wanted = request.headers.get('access-control-request-headers');
  if (request.method !== 'OPTIONS') return response;
  const allowed = (wanted ?? '').split(',').map((name) => name.trim().toLowerCase());
  headers.set('access-control-allow-headers', allowed.filter((name) => ALLOWED_HEADER.test(name)).join(', '));
  headers.set('access-control-allow-methods', 'GET, POST');
  headers.set('access-control-max-age', '600');
  return response;
}

/** Web pages of other origins may use the API, and nothing that manages Ivy. */
const isOpenToOrigins = (request: Request) => /^\/(?:v1|query)(?:\/|$)/.test(new URL(request.url).pathname);

/** What a page may send: our own headers, and those of the official SDKs and of the clients that imitate them. */
const ALLOWED_HEADER =
  /^(?:authorization|content-type|accept|user-agent|idempotency-key|http-referer|x-title|x-request-id|openai-(?:organization|project|beta)|x-stainless-[a-z-]{1,40}|x-ivy-[a-z-]{1,40}|x-openwebui-[a-z-]{1,40})$/;

import { initTRPC, type TRPC_ERROR_CODE_KEY, TRPCError } from '@trpc/server';
import { AppError, toAppError } from '../core/errors';
import type { Principal } from '../core/run';
import { log } from '../lib/log';
import type { Services } from '../services/services';

/** What every procedure gets: the services, and the request to authorise it by. */
export interface Context {
  services: Services;
  request: { method: string; headers: Headers };
  /** Sets the session cookie, or clears it when given null. */
  setSession(session: { token: string; maxAgeSeconds: number } | null): void;
}

const t = initTRPC.context<Context>().create({
  errorFormatter({ shape, error }) {
    // A fault of the input reads like a sentence; everything unknown leaks nothing.
    const failure = error.cause instanceof AppError ? error.cause : undefined;
    const { stack: _, ...data } = shape.data;
    return {
      ...shape,
      message: failure?.message ?? publicMessage(error),
      data: { ...data, reason: failure?.code ?? null },
    };
  },
  sse: { ping: { enabled: true, intervalMs: 10_000 } },
});

function publicMessage(error: TRPCError): string {
  if (error.code === 'BAD_REQUEST') return 'The input of this call is not valid.';
  if (error.code === 'INTERNAL_SERVER_ERROR') return toAppError(error.cause).message;
  return error.message;
}

export const router = t.router;

/** Open to everyone who may reach the server: signing in, and the question whether it is needed. */
export const publicProcedure = t.procedure.use(async ({ next }) => {
  const result = await next();
  if (!result.ok) throw toTrpcError(result.error);
  return result;
});

/** Needs a session, or the loopback. The principal is decided here and nowhere else. */
export const procedure = publicProcedure.use(async ({ ctx, next }) => {
  const principal: Principal = await ctx.services.access.authorize(ctx.request, 'page');
  return next({ ctx: { ...ctx, principal } });
});

/** Like `procedure`, for those who administer. */
export const adminProcedure = procedure.use(({ ctx, next }) => {
  if (ctx.principal.role !== 'admin') throw new AppError('permission_denied', 'Only an admin may do this.');
  return next();
});

/** Our error codes as tRPC's, so that each has the right HTTP status. */
function toTrpcError(error: TRPCError): TRPCError {
  const { cause } = error;
  if (!(cause instanceof AppError)) {
    if (error.code === 'INTERNAL_SERVER_ERROR') log.error({ err: cause ?? error }, 'a procedure failed');
    return error;
  }
  return new TRPCError({ code: CODES[cause.status] ?? 'INTERNAL_SERVER_ERROR', message: cause.message, cause });
}

const CODES: Record<number, TRPC_ERROR_CODE_KEY> = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  413: 'PAYLOAD_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  422: 'UNPROCESSABLE_CONTENT',
  429: 'TOO_MANY_REQUESTS',
  502: 'BAD_GATEWAY',
  503: 'SERVICE_UNAVAILABLE',
  504: 'GATEWAY_TIMEOUT',
};

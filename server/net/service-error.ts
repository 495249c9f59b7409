import { AppError } from '../core/errors';

/** Node and undici codes that mean the service could not be reached at all. */
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'ETIMEDOUT',
]);

/** Codes of a connection that ended under a request. */
const CUT = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

function errorCode(error: unknown): string | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    const code = (current as { code?: unknown }).code;
    if (typeof code === 'string') return code;
    if (current instanceof AggregateError && current.errors.length > 0) return errorCode(current.errors[0]);
  }
  return undefined;
}

/**
 * True when the connection ended before an answer began: a kept-alive connection that the service
 * had closed, as after its restart. Sending again once is right.
 */
export function isCutConnection(error: unknown): boolean {
  const code = errorCode(error);
  return code !== undefined && CUT.has(code);
}

/**
 * What a failed call to `service` ("Ollama", "Claude", …) means to the caller. The text of the
 * original error stays in the cause: it may hold addresses and credentials. `open` is the phase before
 * the response headers.
 */
export function toServiceError(error: unknown, service: string, phase: 'open' | 'body' = 'body'): AppError {
  if (error instanceof AppError) return error;
  const code = errorCode(error);
  if (code && (UNREACHABLE.has(code) || (phase === 'open' && CUT.has(code)))) {
    return new AppError(
      'provider_unavailable',
      `${service} cannot be reached. Check that it is running and that its address is right.`,
      { cause: error },
    );
  }
  if (code === 'UND_ERR_HEADERS_TIMEOUT') {
    return new AppError('upstream_timeout', `${service} did not begin to answer in time.`, { cause: error });
  }
  if (code === 'UND_ERR_BODY_TIMEOUT') {
    return new AppError('upstream_stalled', `${service} stopped in the middle of its answer.`, { cause: error });
  }
  return new AppError('stream_truncated', `The connection to ${service} broke off before its answer was complete.`, {
    cause: error,
  });
}

/**
 * Every failure the product can explain, with the HTTP status it maps to.
 * Transports translate the code into their own wire form; nothing else decides a status.
 */
const STATUS = {
  invalid_request: 400,
  unsupported_value: 400,
  unsupported_parameter: 400,
  context_length_exceeded: 400,
  invalid_api_key: 401,
  permission_denied: 403,
  model_not_found: 404,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  unprocessable: 422,
  rate_limit_exceeded: 429,
  provider_busy: 429,
  internal_error: 500,
  provider_auth: 502,
  upstream_error: 502,
  stream_truncated: 502,
  provider_unavailable: 503,
  retrieval_unavailable: 503,
  server_shutdown: 503,
  upstream_timeout: 504,
  upstream_stalled: 504,
  storage_full: 507,
} as const satisfies Record<string, number>;

export type ErrorCode = keyof typeof STATUS;

export interface AppErrorOptions {
  /** Path of the offending request field, as the caller wrote it: `messages[1].role`. */
  param?: string;
  /** Seconds after which a retry may succeed. */
  retryAfterSeconds?: number;
  /** The underlying failure: logged, never shown to the caller. */
  cause?: unknown;
}

/**
 * Next bundles this module more than once (instrumentation, each kind of route), so a class of one
 * bundle is not the class of another: `instanceof` goes by this mark instead.
 */
const MARK = Symbol.for('ivy.app-error');

/** A failure whose message may reach the caller. The cause is only ever logged. */
export class AppError extends Error {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && MARK in value;
  }

  readonly [MARK] = true;
  readonly code: ErrorCode;
  readonly param: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.param = options.param;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get status(): number {
    return STATUS[this.code];
  }
}

/** Turns anything thrown into an AppError; an unknown failure becomes a message that leaks nothing. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  return new AppError('internal_error', 'Ivy hit an internal error; the server log has the details.', {
    cause: error,
  });
}

/** True for the error a cancelled operation throws; an abort is not a failure. */
export function isAbort(error: unknown): boolean {
  return (
    error instanceof Error &&
    (error.name === 'AbortError' || error.name === 'APIUserAbortError' || error.name === 'ResponseAborted')
  );
}

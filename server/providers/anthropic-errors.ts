import Anthropic from '@anthropic-ai/sdk';
import { AppError } from '../core/errors';
import { toServiceError } from '../net/service-error';

const SERVICE = 'Claude';

/** Longest wait that a retry of ours accepts. */
const MAX_RETRY_WAIT_MS = 10_000;

/**
 * What a failure of the API means to our caller. Mid-stream errors carry no status, only a `type`.
 * The upstream's 401, 402 and 403 are about Ivy's key, never the caller's.
 */
export function toAnthropicError(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted || error instanceof AppError) return error;
  if (error instanceof Anthropic.APIConnectionTimeoutError) {
    return new AppError('upstream_timeout', 'Claude did not begin to answer in time.', { cause: error });
  }
  if (error instanceof Anthropic.APIConnectionError) return toServiceError(error.cause ?? error, SERVICE);
  if (!(error instanceof Anthropic.APIError)) return toServiceError(error, SERVICE);
  return fromStatus(error.status ?? statusOfType(error.type), error);
}

function fromStatus(status: number | undefined, error: InstanceType<typeof Anthropic.APIError>): AppError {
  switch (status) {
    case 400:
    case 413:
    case 422:
      return new AppError('invalid_request', `Claude refused the request: ${said(error)}`, { cause: error });
    case 401:
    case 402:
    case 403:
      return new AppError('provider_auth', 'Claude does not accept Ivy’s API key. An admin has to check it.', {
        cause: error,
      });
    case 404:
      return new AppError('model_not_found', 'Claude does not offer this model.', { cause: error, param: 'model' });
    case 429:
      return new AppError('rate_limit_exceeded', 'Claude’s rate limit is reached. Try again later.', {
        cause: error,
        ...retryAfter(error),
      });
    case 503:
    case 529:
      return new AppError('provider_unavailable', 'Claude is overloaded. Try again in a moment.', { cause: error });
    default:
      return new AppError('upstream_error', 'Claude failed to answer.', { cause: error });
  }
}

function statusOfType(type: string | null | undefined): number | undefined {
  const known: Record<string, number> = {
    invalid_request_error: 400,
    authentication_error: 401,
    billing_error: 402,
    permission_error: 403,
    not_found_error: 404,
    request_too_large: 413,
    rate_limit_error: 429,
    api_error: 500,
    overloaded_error: 529,
  };
  return type ? known[type] : undefined;
}

/** True for failures that mean the API is not well, not that the request or the key is wrong. */
export function isOutage(error: unknown): boolean {
  if (error instanceof Anthropic.APIConnectionError) return true;
  return error instanceof Anthropic.APIError && (error.status ?? 0) >= 500;
}

/** How long to wait before the next attempt; undefined when another attempt is pointless. */
export function toRetryDelay(error: unknown, attempt: number): number | undefined {
  if (!(error instanceof Anthropic.APIError)) return undefined;
  const jitter = 250 * 2 ** attempt * (0.5 + Math.random());
  if (error.status === 500 || error.status === 529) return jitter;
  if (error.status !== 429) return undefined;
  // No retry-after at all means a spend limit, which waiting does not lift.
  const { retryAfterSeconds } = retryAfter(error);
  if (retryAfterSeconds === undefined || retryAfterSeconds * 1000 > MAX_RETRY_WAIT_MS) return undefined;
  return retryAfterSeconds * 1000;
}

function retryAfter(error: InstanceType<typeof Anthropic.APIError>): { retryAfterSeconds?: number } {
  const seconds = Number(error.headers?.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? { retryAfterSeconds: seconds } : {};
}

/** The API's own sentence, without the JSON the SDK wraps around it. */
function said(error: InstanceType<typeof Anthropic.APIError>): string {
  const body = error.error as { error?: { message?: unknown } } | undefined;
  const message = body?.error?.message;
  return typeof message === 'string' ? message.slice(0, 300) : 'no reason given.';
}

import type { AppError, ErrorCode } from '../core/errors';

/** All four keys are required by OpenAI's schema; `param` and `code` may be null. */
export interface ErrorBody {
  error: { message: string; type: string; param: string | null; code: string | null };
}

/** Codes whose OpenAI `type` is not the default of their status. */
const TYPES: Partial<Record<ErrorCode, string>> = {
  permission_denied: 'permission_error',
  rate_limit_exceeded: 'requests',
  provider_busy: 'requests',
};

/** Codes that OpenAI spells differently, or leaves null. */
const CODES: Partial<Record<ErrorCode, string | null>> = {
  invalid_request: null,
  not_found: null,
  method_not_allowed: null,
  payload_too_large: null,
  unsupported_media_type: null,
  permission_denied: null,
  provider_busy: 'rate_limit_exceeded',
};

export function toErrorBody(error: AppError): ErrorBody {
  const fallback = error.status >= 500 ? 'server_error' : 'invalid_request_error';
  const code = CODES[error.code];
  return {
    error: {
      message: error.message,
      type: TYPES[error.code] ?? fallback,
      param: error.param ?? null,
      code: code === undefined ? error.code : code,
    },
  };
}

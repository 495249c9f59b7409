import { AppError } from '../core/errors';
import { NdjsonRefusal } from '../net/ndjson';
import { toServiceError } from '../net/service-error';

const SERVICE = 'Ollama';

/** Longest part of an upstream message that is repeated to the caller. */
const MAX_QUOTE = 300;

/**
 * What a failure of Ollama (or of its package) means to the caller. The package throws a
 * `ResponseError` with `status_code` before the first byte, a plain `Error` for an error line in a
 * stream, and "Did not receive done…" when a stream ends without its last line.
 */
export function toOllamaError(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted || error instanceof AppError) return error;
  if (error instanceof NdjsonRefusal) return fromStatus(error.status, saidIn(error.body), error);
  if (!(error instanceof Error)) return toServiceError(error, SERVICE);
  const status = (error as { status_code?: number }).status_code;
  const said = error.message.slice(0, MAX_QUOTE);
  if (status !== undefined) return fromStatus(status, said, error);
  if (error.message.startsWith('Did not receive done')) {
    return new AppError('stream_truncated', 'Ollama ended its answer before it was complete.', { cause: error });
  }
  if (error.name === 'Error' && error.cause === undefined && !('code' in error)) {
    return toStreamError(error.message);
  }
  return toServiceError(error, SERVICE);
}

/** What an error line in the middle of a stream means. */
export function toStreamError(error: unknown): AppError {
  return new AppError('upstream_error', `Ollama reported: ${String(error).slice(0, MAX_QUOTE)}`);
}

/** The sentence in an error body `{"error": "…"}`. */
function saidIn(body: string): string {
  try {
    return String((JSON.parse(body) as { error?: unknown }).error).slice(0, MAX_QUOTE);
  } catch {
    return 'no reason given';
  }
}

function fromStatus(status: number, said: string, cause: Error): AppError {
  switch (true) {
    case status === 404:
      return new AppError('model_not_found', `Ollama does not have this model: ${said}`, { cause, param: 'model' });
    case status === 400 && /context|exceed/i.test(said):
      return new AppError('context_length_exceeded', 'The conversation is longer than the model can read.', {
        cause,
        param: 'messages',
      });
    case status === 400:
      return new AppError('invalid_request', `Ollama refused the request: ${said}`, { cause });
    case status === 401 || status === 403:
      return new AppError('provider_auth', 'Ollama refused Ivy’s credentials.', { cause });
    case status === 503:
      return new AppError('provider_busy', 'Ollama’s queue is full. Try again in a moment.', {
        cause,
        retryAfterSeconds: 5,
      });
    default:
      return new AppError('upstream_error', `Ollama failed (HTTP ${status}): ${said}`, { cause });
  }
}

/** Words of the errors that chat templates raise; what they mean is only in their text. */
const TEMPLATE = /template|system (?:role|message|prompt)|roles? must|conversation roles|raise_exception|jinja/i;

/** True when the model's chat template refuses the form of the conversation. */
export function refusesTemplate(error: unknown): error is NdjsonRefusal {
  return (
    error instanceof NdjsonRefusal && (error.status === 400 || error.status >= 500) && TEMPLATE.test(saidIn(error.body))
  );
}

export function templateRefusal(model: string, error: NdjsonRefusal): AppError {
  return new AppError(
    'upstream_error',
    `The chat template of ${model} refuses this conversation, also without a system message: ${saidIn(error.body)}. Choose another model.`,
    { cause: error },
  );
}

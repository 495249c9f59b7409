import pino from 'pino';

/**
 * Structured log on standard error. Content of questions, answers and documents is never logged;
 * the paths below are cut in case an error object carries a credential.
 */
export const log = pino(
  {
    level: process.env['IVY_LOG_LEVEL'] ?? 'info',
    base: undefined,
    redact: {
      paths: ['*.authorization', '*.apiKey', '*.password', '*.headers', '*.request', 'err.headers', 'err.error'],
      censor: '[cut]',
    },
  },
  pino.destination(2),
);

import { AppError } from '@/server/core/errors';

const MAX_DEPTH = 200;
/** Images and documents are single strings; a request with more values than this was made to keep the server busy. */
const MAX_VALUES = 100_000;

const QUOTE = 34;
const COMMA = 44;
const OPEN_ARRAY = 91;
const BACKSLASH = 92;
const CLOSE_ARRAY = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

/**
 * Looks at JSON before it is parsed: 32 MB of `[],[],…` would take the parser seconds and a gigabyte, and what
 * parses may still be too deep for everything that walks it. Whether the text is JSON at all, the parser tells.
 */
export function checkShape(json: string): void {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) at = endOfString(json, at);
    else if (code === OPEN_ARRAY || code === OPEN_OBJECT) {
      depth++;
      values++;
    } else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) depth--;
    else if (code === COMMA) values++;
    if (depth > MAX_DEPTH) throw new AppError('invalid_request', `The body is nested deeper than ${MAX_DEPTH} levels.`);
    if (values > MAX_VALUES) {
      throw new AppError('invalid_request', `The body holds more than ${MAX_VALUES.toLocaleString('en')} values.`);
    }
  }
}

/** Where the string that begins at `start` ends; the end of the text when it does not. */
function endOfString(json: string, start: number): number {
  let end = start;
  do {
    end = json.indexOf('"', end + 1);
    if (end < 0) return json.length;
  } while (isEscaped(json, end));
  return end;
}

/** An odd number of backslashes stands before it. */
function isEscaped(json: string, at: number): boolean {
  let first = at;
  while (json.charCodeAt(first - 1) === BACKSLASH) first--;
  return (at - first) % 2 === 1;
}

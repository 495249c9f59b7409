import type { z } from 'zod';
import { AppError } from '../core/errors';

/** The first problem of a failed parse as a 400 with the field's path: `messages[1].role`. */
export function toRequestError(error: z.ZodError): AppError {
  const issue = deepest(error.issues);
  const param = issue ? toPath(issue.path) : '';
  const message = issue ? toPlainWords(issue.message) : 'The request is not valid.';
  return new AppError('invalid_request', param ? `${param}: ${message}` : message, param ? { param } : {});
}

/** Zod's own sentences, as a person would say them. */
function toPlainWords(message: string): string {
  return message
    .replace(/^Invalid input: expected \w+, received undefined$/, 'is required')
    .replace(
      /^Invalid input: expected (\w+), received (\w+)$/,
      (_, wanted, got) => `must be ${article(wanted)}, not ${got}`,
    )
    .replace(/^Too (?:small|big): expected \w+ to (?:be|have) ([<>]=?)(?=-?[\d.])/, 'must be $1 ')
    .replace(/^Invalid option: expected one of /, 'must be one of ')
    .replace(/^Unrecognized keys?: /, 'unknown: ');
}

const article = (noun: string) => (/^[aeiou]/.test(noun) ? `an ${noun}` : `a ${noun}`);

const MAX_ITEMS = 5_000;

/** A list longer than any model reads: what is wrong with each of its items would take seconds to find out. */
export function checkLength(body: unknown, param: 'messages' | 'input'): void {
  const list = typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[param] : undefined;
  if (!Array.isArray(list) || list.length <= MAX_ITEMS) return;
  throw new AppError('invalid_request', `${param}: at most ${MAX_ITEMS} items`, { param });
}

type Issue = z.core.$ZodIssue;

/** In a union the branch that got furthest tells most. */
function deepest(issues: readonly Issue[]): Issue | undefined {
  const [first] = issues;
  if (first?.code !== 'invalid_union') return first;
  const branches = first.errors.map((branch) => deepest(branch)).filter((issue) => issue !== undefined);
  const best = branches.sort((a, b) => b.path.length - a.path.length)[0];
  return best && best.path.length > 0 ? { ...best, path: [...first.path, ...best.path] } : first;
}

function toPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? String(key) : `${text}.${String(key)}`;
  }, '');
}

const OLD_FORM: ReadonlySet<string> = new Set(['functions', 'function_call']);

/** Fields of the body that have no effect; an absent one is no field. */
export function toIgnored(body: object, known: ReadonlySet<string>): string[] {
  const set = Object.entries(body).filter(([, value]) => value != null);
  // `functions` beside `tools` is the old form of the same wish.
  return set.map(([name]) => name).filter((name) => !known.has(name) || OLD_FORM.has(name));
}

/** Operators of a page, and curves of one path: a few kilobytes can hold a path that is drawn for minutes. */
const MAX_OPERATORS = 200_000;
const MAX_CURVES = 5_000;
/** How pdf.js writes a path: the operation (move, line, curve, quadratic curve, close), then as many numbers as belong to it. */
const PATH_NUMBERS = [2, 2, 6, 4, 0];
const CURVE = 2;

/** What pdf.js is to draw. */
interface Operators {
  fnArray: readonly number[];
  argsArray: readonly unknown[];
}

/**
 * Whether drawing a page would hold up the browser, which cannot be interrupted within one path. `constructPath` is the
 * number that pdf.js gives to the operator of a path.
 */
export function isTooMuch({ fnArray, argsArray }: Operators, constructPath: number): boolean {
  if (fnArray.length > MAX_OPERATORS) return true;
  return fnArray.some((operator, index) => operator === constructPath && curvesOf(argsArray[index]) > MAX_CURVES);
}

function curvesOf(args: unknown): number {
  const path: unknown = Array.isArray(args) && Array.isArray(args[1]) ? args[1][0] : undefined;
  if (!(path instanceof Float32Array) && !Array.isArray(path)) return 0;
  let curves = 0;
  for (let at = 0; at < path.length; at += 1 + (PATH_NUMBERS[path[at] ?? 0] ?? 0)) if (path[at] === CURVE) curves += 1;
  return curves;
}

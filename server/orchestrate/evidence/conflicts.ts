import type { CitedPassage } from '../../core/knowledge';
import type { Conflict } from '../../core/run';
import { gives, shorten } from './claim';
import type { Placed, Source, Statement } from './statements';

/** Statements with values that are compared, so that many long passages cannot keep it busy. */
const MAX_STATEMENTS = 120;
const MAX_CONFLICTS = 5;
const MAX_TEXT = 300;
/** Share of their words that two statements have in common when they speak of the same, and less when an identifier says so. */
const SAME_WORDS = 0.6;
const SAME_WORDS_OF_ONE_NAME = 0.35;

/**
 * Passages of different documents that give different values of the same: of one identifier, or in nearly the same
 * words. It is narrow on purpose: two values are only set against each other where nothing else tells them apart.
 */
export function findConflicts(
  passages: readonly CitedPassage[],
  sourceOf: (n: number) => Source | undefined,
): Conflict[] {
  const documentOf = new Map(passages.map(({ n, documentId, source }) => [n, documentId ?? source]));
  const statements = passages
    .flatMap(({ n }) => sourceOf(n)?.statements ?? [])
    .filter(({ quantities }) => quantities.some(({ unit, spelled }) => unit && !spelled))
    .slice(0, MAX_STATEMENTS);
  const conflicts: Conflict[] = [];
  const seen = new Set<string>();
  for (const [index, first] of statements.entries()) {
    for (const second of statements.slice(index + 1)) {
      if (documentOf.get(first.n) === documentOf.get(second.n)) continue;
      const subject = sameSubject(first, second);
      const pair = subject === undefined ? undefined : differing(first, second);
      if (subject === undefined || !pair) continue;
      const [a, b] = pair;
      const key = `${subject} ${subject === SAME ? withoutValue(first, a) : ''} ${a.text} ${b.text}`;
      if (seen.has(key)) continue;
      seen.add(key);
      conflicts.push({
        subject: subject === SAME ? withoutValue(first, a) : subject,
        first: toSide(first, a),
        second: toSide(second, b),
      });
      if (conflicts.length === MAX_CONFLICTS) return conflicts;
    }
  }
  return conflicts;
}

const toSide = ({ n, text }: Statement, { text: value }: Placed) => ({ n, value, text: text.slice(0, MAX_TEXT) });

/** Two statements that speak of the same without naming it. */
const SAME = '';
const MAX_SUBJECT = 100;

const withoutValue = ({ text }: Statement, { text: value }: Placed) =>
  shorten(text.replace(value, '…').trim(), MAX_SUBJECT);

/** The identifier that two statements both speak of, or that they speak of the same; undefined when that is not certain. */
function sameSubject(first: Statement, second: Statement): string | undefined {
  const named = [...first.identifiers, ...first.owners].find(
    (name) => second.identifiers.has(name) || second.owners.has(name),
  );
  const shared = [...first.words].filter((word) => second.words.has(word));
  const likeness = shared.length / Math.max(1, Math.min(first.words.size, second.words.size));
  if (named) return likeness >= SAME_WORDS_OF_ONE_NAME ? named : undefined;
  // Another identifier, or a word that only one of them has, may be what tells them apart.
  if (first.identifiers.size + second.identifiers.size + first.owners.size + second.owners.size > 0) return undefined;
  const all = new Set([...first.words, ...second.words]).size;
  return shared.length >= 3 && shared.length / all >= SAME_WORDS ? SAME : undefined;
}

/** The values that the two statements give differently; undefined unless all others agree. */
function differing(first: Statement, second: Statement): [Placed, Placed] | undefined {
  const open = (of: Statement, other: Statement) => of.quantities.filter((value) => !gives(other, value));
  const [mine, theirs] = [open(first, second), open(second, first)];
  const [a] = mine;
  const [b] = theirs;
  if (mine.length !== 1 || theirs.length !== 1 || !a?.unit || a.unit.key !== b?.unit?.key) return undefined;
  // "Part 36" is not "part 37".
  return otherNumbers(first, a) === otherNumbers(second, b) ? [a, b] : undefined;
}

/** All numbers of a statement besides one value, whatever they mean. */
function otherNumbers({ text }: Statement, { text: value }: Placed): string {
  return [...new Set(text.replace(value, ' ').match(/\d+/g))].sort().join(' ');
}

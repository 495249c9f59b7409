import type { EvidenceIssue } from '../../core/run';
import type { Language } from '../../text/language';
import { agrees, type Quantity } from '../../text/quantities';
import type { Unit } from '../../text/units';
import type { Placed, Source, Statement } from './statements';

/** Of the best sentence's likeness, so that a value there counts as said of the same thing. */
export const NEAR = 0.6;
/** A sentence and its nearest say the same in other words from here on: only then are force and negation compared. */
export const SAME_STATEMENT = 0.5;
const MAX_DETAIL = 120;

/** What a sentence of an answer says, taken apart. */
export interface Claim {
  text: string;
  words: ReadonlySet<string>;
  identifiers: ReadonlySet<string>;
  quantities: readonly Placed[];
  forces: readonly string[];
  negated: boolean;
  language: Language;
  /** True when its language does not show and is taken to be that of the passages. */
  assumed: boolean;
  unspaced: boolean;
}

export interface Scored {
  statement: Statement;
  /** Weighted share of the claim's words and identifiers that stand in it or over it. */
  score: number;
  /** The same with its neighbours in running text. */
  around: number;
}

/** What one kind of comparison found. */
export interface Checked {
  issues: EvidenceIssue[];
  /** Something stands in the source, but not where the claim would have it. */
  doubt: boolean;
  nearest?: Statement;
}

/** Statements of the sources, most like the claim first. */
export function score(claim: Claim, sources: readonly Source[]): Scored[] {
  const statements = sources.flatMap((source) => source.statements);
  const weights = new Map<string, number>();
  for (const word of [...claim.words, ...claim.identifiers]) {
    const holding = statements.filter((statement) => holds(statement, word)).length;
    weights.set(word, Math.log(1 + statements.length / (holding + 0.5)));
  }
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  const share = (of: readonly (Statement | undefined)[]) => {
    if (total === 0) return 0;
    let sum = 0;
    for (const [word, weight] of weights)
      if (of.some((statement) => statement && holds(statement, word))) sum += weight;
    return sum / total;
  };
  return statements
    .map((statement, index): Scored => {
      const own = share([statement]);
      const [before, after] = [statements[index - 1], statements[index + 1]];
      const flows = (other: Statement | undefined) => (other?.flows && other.n === statement.n ? other : undefined);
      const around = statement.flows ? share([flows(before), statement, flows(after)]) : own;
      // Without words to go by, values show which sentence is meant.
      const matched = claim.quantities.filter((claimed) => gives(statement, claimed)).length;
      return {
        statement,
        score: own + (total === 0 ? matched / Math.max(1, claim.quantities.length) : 0.02 * matched),
        around,
      };
    })
    .sort((a, b) => b.score - a.score);
}

export const holds = (statement: Statement, word: string) =>
  statement.words.has(word) || statement.context.has(word) || names(statement, word);

/** Whether a statement has an identifier, or stands under it; `V-101` is also written `V101`, and an edition may lack its letter. */
export const names = ({ identifiers, owners }: Statement, identifier: string) =>
  [...identifiers, ...owners].some((name) => isSameName(name, identifier));

const joined = (name: string) => name.replace(/[-/]/g, '');

export function isSameName(there: string, claimed: string): boolean {
  if (there === claimed) return true;
  const [a, b] = [joined(there), joined(claimed)];
  return a === b || (a.length === b.length + 1 && a.startsWith(b) && /\p{N}\p{L}$/u.test(a));
}

/** Words that two sets have in common. */
export function overlap(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let shared = 0;
  for (const word of a) if (b.has(word)) shared += 1;
  return shared;
}

export const shorten = (text: string, most = MAX_DETAIL) =>
  text.length <= most ? text : `${text.slice(0, most - 1)}…`;

/** Whether a statement gives a value; `heads` are units that its text names without a number. */
export const gives = ({ quantities }: Statement, value: Quantity, heads?: readonly Unit[]) =>
  quantities.some((there) => agrees(value, there, heads));

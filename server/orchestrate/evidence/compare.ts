import type { EvidenceIssue, EvidenceOutcome } from '../../core/run';
import type { Quantity } from '../../text/quantities';
import { type Claim, gives, holds, names, SAME_STATEMENT, type Scored, score } from './claim';
import { checkWording } from './force';
import { checkIdentifiers } from './names';
import { checkReferences } from './references';
import { type Source, type Statement, toBare } from './statements';
import { checkValues } from './values';
import { concludes, contrasts, forcesOf, isNegated, isRestricted, opposes } from './wording';

export interface Comparison {
  outcome: EvidenceOutcome;
  support: number | null;
  issues: readonly EvidenceIssue[];
  nearest: Statement | undefined;
}

/** Share of a claim's words in its nearest sentences, from which on they say it; less when its values stand there too. */
const SAYS_IT = 0.72;
const SAYS_IT_WITH_VALUES = 0.5;
/** Below this a source says nothing of the claim. */
const SAYS_NOTHING = 0.12;

/** Compares a claim with sources by rules alone. */
export function compare(claim: Claim, sources: readonly Source[]): Comparison {
  const comparable = sources.filter(
    ({ language, unspaced }) => unspaced === claim.unspaced && (unspaced || language === claim.language),
  );
  const quoted = findQuoted(claim, sources);
  if (quoted) return { outcome: 'supported', support: 1, issues: [], nearest: quoted };
  if (comparable.length === 0) return compareValues(claim, sources);
  const scored = score(claim, comparable);
  const [best] = scored;
  if (!best) return { outcome: 'unknown', support: null, issues: [], nearest: undefined };
  const heads = comparable.flatMap((source) => source.heads);
  const values = checkValues(claim, scored, heads);
  const identifiers = checkIdentifiers(claim, scored);
  const wording = checkWording(claim, scored);
  const references = checkReferences(claim.text, comparable, scored);
  const all = [values, identifiers, wording, references];
  const issues = all.flatMap((checked) => checked.issues);
  const nearest =
    best.score > SAYS_NOTHING || best.around > SAYS_NOTHING ? (values.nearest ?? best.statement) : undefined;
  const support = Math.max(best.score, best.around);
  if (issues.length > 0) {
    const aboutIt = support >= SAYS_NOTHING || issues.some(({ source }) => source !== undefined);
    return { outcome: aboutIt ? 'differs' : 'no_source', support: Math.min(support, 0.25), issues, nearest };
  }
  const exact = claim.identifiers.size + claim.quantities.filter(({ spelled }) => !spelled).length;
  const near = scored.slice(0, 3).map(({ statement }) => statement.text);
  const added = (says: (text: string) => boolean) => says(claim.text) && !near.some(says);
  // A conclusion or a contrast that the source does not draw may be wrong although each of its words is there.
  const doubtful =
    all.some(({ doubt }) => doubt) ||
    added(concludes) ||
    added(contrasts) ||
    opposes(claim.text, best.statement.text) ||
    (isRestricted(best.statement.text) && !isRestricted(claim.text)) ||
    replacesWord(claim, scored) ||
    reorders(claim, best);
  const said = support >= (exact > 0 ? SAYS_IT_WITH_VALUES : SAYS_IT);
  if (said && !doubtful) return { outcome: 'supported', support, issues, nearest };
  if (claim.assumed && !doubtful) {
    const values = compareValues(claim, sources);
    if (values.outcome === 'supported') return values;
  }
  const nothing = support < SAYS_NOTHING && (exact === 0 || doubtful);
  return { outcome: nothing ? 'no_source' : 'unknown', support, issues, nearest };
}

const MIN_QUOTE = 24;
const uncapitalised = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);

/** The statement that is the claim word for word, or ends with it as a clause of its own. */
function findQuoted(claim: Claim, sources: readonly Source[]): Statement | undefined {
  const bare = toBare(claim.text);
  if (bare === '') return undefined;
  const said = uncapitalised(bare);
  const isSentence = /^\p{Lu}/u.test(bare);
  return sources
    .flatMap((source) => source.statements)
    .find((statement) => {
      const text = uncapitalised(statement.bare);
      if (text === said) return true;
      // A heading may stand before the sentence in one line.
      const ends = text.endsWith(`, ${said}`) || (isSentence && statement.bare.endsWith(` ${bare}`));
      return ends && said.length >= MIN_QUOTE && isNegated(statement.text) === claim.negated;
    });
}

/**
 * True when a claim repeats a sentence but for a word that the source says elsewhere: it may have been put in place of
 * another, as "server" for "client".
 */
function replacesWord(claim: Claim, [best, ...rest]: readonly Scored[]): boolean {
  if (!best || best.score < SAME_STATEMENT) return false;
  const { words } = best.statement;
  const left = [...words].filter((word) => !claim.words.has(word)).length;
  const replaced = [...claim.words].filter((word) => !holds(best.statement, word));
  return (
    left > 0 &&
    left <= 0.5 * words.size &&
    replaced.length <= 2 &&
    replaced.some((word) => rest.some(({ statement }) => statement.words.has(word)))
  );
}

/** True when a claim has the words of a sentence in another order: who does what to whom may be turned round. */
function reorders(claim: Claim, { statement }: Scored): boolean {
  const mine = [...claim.words].filter((word) => statement.words.has(word));
  const left = claim.words.size - mine.length + (statement.words.size - mine.length);
  // A value is found again by its number, whatever the order.
  if (mine.length < 3 || left > 1 || claim.quantities.length > 0) return false;
  return mine.join() !== [...statement.words].filter((word) => claim.words.has(word)).join();
}

/** In another language only values and identifiers can be compared. */
function compareValues(claim: Claim, sources: readonly Source[]): Comparison {
  const statements = sources.flatMap((source) => source.statements);
  const heads = sources.flatMap((source) => source.heads);
  const counted = claim.quantities.filter(({ spelled }) => !spelled);
  const found = (statement: Statement) =>
    counted.filter((claimed) => gives(statement, claimed, heads)).length +
    [...claim.identifiers].filter((name) => names(statement, name)).length;
  const nearest = statements
    .map((statement) => ({ statement, found: found(statement) }))
    .sort((a, b) => b.found - a.found)[0];
  const issues: EvidenceIssue[] = [];
  for (const claimed of counted) {
    if (statements.some((statement) => gives(statement, claimed, heads))) continue;
    const other = statements.flatMap(({ quantities }) => quantities).find((there) => comparableUnits(claimed, there));
    if (other) issues.push({ kind: 'number', detail: claimed.text, source: other.text });
    else if (claimed.unit) issues.push({ kind: 'number', detail: claimed.text });
  }
  for (const name of claim.identifiers) {
    if (!statements.some((statement) => names(statement, name))) issues.push({ kind: 'identifier', detail: name });
  }
  const at = nearest && nearest.found > 0 ? nearest.statement : undefined;
  if (issues.length > 0) return { outcome: 'differs', support: 0, issues, nearest: at };
  // A bare small number stands in many texts.
  const telling =
    claim.identifiers.size > 0 || counted.some(({ unit, numbers }) => unit || numbers.some((number) => number >= 100));
  const [says, said] = [forcesOf(claim.text), at ? forcesOf(at.text) : []];
  const turned =
    at &&
    (isNegated(at.text) !== claim.negated ||
      (says.length > 0 && said.length > 0 && !says.some((one) => said.includes(one))));
  if (telling && at && !turned) return { outcome: 'supported', support: 1, issues, nearest: at };
  return { outcome: 'unknown', support: null, issues, nearest: at };
}

const comparableUnits = (claimed: Quantity, there: Quantity) =>
  claimed.unit !== undefined && there.unit?.key === claimed.unit.key;

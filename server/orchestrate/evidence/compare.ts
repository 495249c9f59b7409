import type { EvidenceIssue, EvidenceOutcome } from '../../core/run';
import { plainSigns } from '../../text/fold';
import { agrees, type Quantity } from '../../text/quantities';
import { type Claim, holds, SAME_STATEMENT, type Scored, score } from './claim';
import { checkWording } from './force';
import { checkIdentifiers } from './names';
import type { Source, Statement } from './statements';
import { checkValues } from './values';
import { concludes, contrasts, isNegated } from './wording';

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
  const quoted = sources.flatMap((source) => source.statements).find((statement) => quotes(statement.text, claim.text));
  if (quoted) return { outcome: 'supported', support: 1, issues: [], nearest: quoted };
  if (comparable.length === 0) return compareValues(claim, sources);
  const scored = score(claim, comparable);
  const [best] = scored;
  if (!best) return { outcome: 'unknown', support: null, issues: [], nearest: undefined };
  const heads = comparable.flatMap((source) => source.heads);
  const values = checkValues(claim, scored, heads);
  const names = checkIdentifiers(claim, scored);
  const issues = [...values.issues, ...names.issues, ...checkWording(claim, scored)];
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
  const doubtful = values.doubt || names.doubt || added(concludes) || added(contrasts) || replacesWord(claim, scored);
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
/** Letters and digits only: how a text is set and marked up is no difference. */
const bare = (text: string) =>
  plainSigns(text)
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}.,%°+±<>≤≥-]+/gu, '');

/** True when a statement is, or holds, the claim word for word; a part of it only from the beginning of a clause on. */
function quotes(statement: string, claim: string): boolean {
  const said = bare(claim).replace(/[.,]{1,3}$/, '');
  const text = bare(statement);
  if (text.replace(/[.,]{1,3}$/, '') === said) return true;
  return (
    said.length >= MIN_QUOTE &&
    isNegated(statement) === isNegated(claim) &&
    (text.startsWith(said) || text.includes(`,${said}`))
  );
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

/** In another language only values and identifiers can be compared. */
function compareValues(claim: Claim, sources: readonly Source[]): Comparison {
  const statements = sources.flatMap((source) => source.statements);
  const heads = sources.flatMap((source) => source.heads);
  const counted = claim.quantities.filter(({ spelled }) => !spelled);
  const found = (statement: Statement) =>
    counted.filter((claimed) => statement.quantities.some((there) => agrees(claimed, there, heads))).length +
    [...claim.identifiers].filter((name) => statement.identifiers.has(name) || statement.owners.has(name)).length;
  const nearest = statements
    .map((statement) => ({ statement, found: found(statement) }))
    .sort((a, b) => b.found - a.found)[0];
  const issues: EvidenceIssue[] = [];
  for (const claimed of counted) {
    if (statements.some(({ quantities }) => quantities.some((there) => agrees(claimed, there, heads)))) continue;
    const other = statements.flatMap(({ quantities }) => quantities).find((there) => comparableUnits(claimed, there));
    if (other) issues.push({ kind: 'number', detail: claimed.text, source: other.text });
    else if (claimed.unit) issues.push({ kind: 'number', detail: claimed.text });
  }
  for (const name of claim.identifiers) {
    if (!statements.some(({ identifiers, owners }) => identifiers.has(name) || owners.has(name)))
      issues.push({ kind: 'identifier', detail: name });
  }
  const at = nearest && nearest.found > 0 ? nearest.statement : undefined;
  if (issues.length > 0) return { outcome: 'differs', support: 0, issues, nearest: at };
  // A bare small number stands in many texts.
  const telling =
    claim.identifiers.size > 0 || counted.some(({ unit, numbers }) => unit || numbers.some((number) => number >= 100));
  if (telling && at) return { outcome: 'supported', support: 1, issues, nearest: at };
  return { outcome: 'unknown', support: null, issues, nearest: at };
}

const comparableUnits = (claimed: Quantity, there: Quantity) =>
  claimed.unit !== undefined && there.unit?.key === claimed.unit.key;

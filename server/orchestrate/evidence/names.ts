import { plainSigns } from '../../text/fold';
import {
  type Checked,
  type Claim,
  gives,
  isSameName,
  NEAR,
  names,
  overlap,
  SAME_STATEMENT,
  type Scored,
} from './claim';
import { localWords } from './statements';

/** Compares the identifiers of a claim with those of its sources, and what is said of each. */
export function checkIdentifiers(claim: Claim, scored: readonly Scored[]): Checked {
  const checked: Checked = { issues: [], doubt: false };
  const best = scored[0];
  if (!best) return checked;
  for (const identifier of claim.identifiers) {
    const named = ({ statement }: Scored) => names(statement, identifier);
    const holding = scored.filter(named);
    const other = scored
      .slice(0, 3)
      .filter(({ score }) => score >= NEAR * best.score)
      .flatMap(({ statement }) => [...statement.identifiers, ...statement.owners])
      .find((name) => !isSameName(name, identifier) && !claim.identifiers.has(name) && isAlike(name, identifier));
    if (holding.length === 0) {
      checked.issues.push({ kind: 'identifier', detail: identifier, ...(other && { source: other }) });
      continue;
    }
    const beside = besideOf(claim, identifier, holding);
    if (beside) {
      checked.issues.push({ kind: 'identifier', detail: identifier, source: beside });
      continue;
    }
    // The name stands elsewhere: what the claim says of it is said of another.
    const rest = (of: Scored) => restScore(claim, of, identifier);
    const atName = Math.max(...holding.map(rest));
    const elsewhere = scored
      .filter((candidate) => !named(candidate))
      .map((candidate) => ({ candidate, score: rest(candidate) }))
      .sort((a, b) => b.score - a.score)[0];
    if (!elsewhere || elsewhere.score < SAME_STATEMENT || atName >= NEAR * elsewhere.score) continue;
    const instead = [...elsewhere.candidate.statement.identifiers, ...elsewhere.candidate.statement.owners].find(
      (name) => !claim.identifiers.has(name) && isAlike(name, identifier),
    );
    if (instead) checked.issues.push({ kind: 'identifier', detail: identifier, source: instead });
    else checked.doubt = true;
  }
  // "A answers B" is not "B answers A": where the order differs, words alone do not tell.
  const order = [...claim.identifiers].filter((name) => best.statement.identifiers.has(name));
  const there = [...best.statement.identifiers].filter((name) => order.includes(name));
  if (order.length > 1 && order.join() !== there.join()) checked.doubt = true;
  return checked;
}

/** Another name in the same statement that the claim's words stand closer to. */
function besideOf(claim: Claim, identifier: string, holding: readonly Scored[]): string | undefined {
  const statement = holding[0]?.statement;
  if (!statement?.flows || claim.identifiers.size > 1) return undefined;
  const closeness = (name: string) => {
    const start = plainSigns(statement.text).toLowerCase().indexOf(name);
    return start < 0
      ? 0
      : overlap(localWords(statement.text, { start, end: start + name.length }, claim.language), claim.words);
  };
  const own = closeness(identifier);
  return [...statement.identifiers].find(
    (name) => name !== identifier && isAlike(name, identifier) && closeness(name) > own + 1,
  );
}

/** How much of a claim besides one identifier stands in a statement: its words and values. */
function restScore(claim: Claim, { statement }: Scored, identifier: string): number {
  const words = [...claim.words].filter((word) => !identifier.includes(word));
  const all = words.length + 2 * claim.quantities.length;
  if (all === 0) return 0;
  const said = words.filter((word) => statement.words.has(word) || statement.context.has(word)).length;
  const values = claim.quantities.filter((claimed) => gives(statement, claimed)).length;
  return (said + 2 * values) / all;
}

/** Names of one family: the same but for their digits, or with a long common beginning. */
function isAlike(a: string, b: string): boolean {
  if (a.replace(/\d+/g, '0') === b.replace(/\d+/g, '0')) return true;
  let common = 0;
  while (common < Math.min(a.length, b.length) && a[common] === b[common]) common += 1;
  return common >= 4 && common >= 0.4 * Math.min(a.length, b.length);
}

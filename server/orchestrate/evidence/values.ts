import type { EvidenceIssue } from '../../core/run';
import { agrees, type Quantity } from '../../text/quantities';
import type { Unit } from '../../text/units';
import { type Checked, type Claim, gives, NEAR, overlap, SAME_STATEMENT, type Scored, shorten } from './claim';
import type { Placed, Statement } from './statements';
import { limitOf } from './wording';

/** From here on a sentence speaks of the same thing. */
const SAME_THING = 0.34;

/** Compares each value of a claim with those of the sentences that speak of the same. */
export function checkValues(claim: Claim, scored: readonly Scored[], heads: readonly Unit[]): Checked {
  const checked: Checked = { issues: [], doubt: false };
  for (const claimed of claim.quantities) {
    const found = checkValue(claim, claimed, scored, heads);
    if (found === 'doubt') checked.doubt = true;
    else if (found) {
      checked.issues.push(found.issue);
      checked.nearest ??= found.at;
    }
  }
  if (checked.issues.length > 0) return checked;
  const scattered = findScattered(claim, scored, heads);
  if (!scattered) return checked;
  if (scattered.issue) checked.issues.push(scattered.issue);
  else checked.doubt = true;
  checked.nearest = scattered.at;
  return checked;
}

/**
 * Whether several of the claim's values stand in one row of a table, and the others elsewhere. Where a number names
 * another row ("PI 150-6"), that row says what is right.
 */
function findScattered(
  claim: Claim,
  scored: readonly Scored[],
  heads: readonly Unit[],
): { issue?: EvidenceIssue; at: Statement } | undefined {
  const counted = claim.quantities.filter(({ spelled }) => !spelled);
  if (counted.length < 2) return undefined;
  const stands = (claimed: Placed, { statement }: Scored) => gives(statement, claimed, heads);
  const held = (candidate: Scored) => counted.filter((claimed) => stands(claimed, candidate));
  const fullest = (flows: boolean) =>
    scored
      .filter(({ statement }) => statement.flows === flows)
      .reduce<Scored | undefined>(
        (best, one) => (!best || held(one).length > held(best).length ? one : best),
        undefined,
      );
  const row = fullest(false);
  if (!row) return undefined;
  const inRow = held(row);
  const text = fullest(true);
  if (inRow.length < 2 || inRow.length === counted.length || (text && held(text).length >= inRow.length))
    return undefined;
  const missing = counted.filter((claimed) => !inRow.includes(claimed));
  const named = missing.every(({ unit }) => !unit)
    ? scored.find((one) => !one.statement.flows && one !== row && missing.every((claimed) => stands(claimed, one)))
    : undefined;
  const wrong = named && inRow.find((claimed) => claimed.unit && !stands(claimed, named));
  const right = wrong && named?.statement.quantities.find(({ unit }) => unit?.key === wrong.unit?.key);
  if (!named || !wrong || !right) return { at: row.statement };
  return { issue: { kind: 'number', detail: wrong.text, source: right.text }, at: named.statement };
}

type Found = { issue: EvidenceIssue; at?: Statement } | 'doubt' | undefined;

function checkValue(claim: Claim, claimed: Placed, scored: readonly Scored[], heads: readonly Unit[]): Found {
  const best = scored[0]?.score ?? 0;
  const holding = scored.filter(({ statement }) => gives(statement, claimed, heads));
  const link = Math.max(
    0,
    ...holding.map(({ statement, score, around }) => Math.max(score, statement.flows ? 0.85 * around : 0)),
  );
  const near = holding.length > 0 && (link >= NEAR * best || best < SAME_THING / 2);
  if (near) {
    const at = holding[0];
    return at ? checkPlace(claim, claimed, at, heads) : undefined;
  }
  if (holding.length === 0 && isDerived(claimed, scored)) return 'doubt';
  const other = otherValue(claimed, scored, heads);
  if (other && (holding.length === 0 || other.likeness >= SAME_STATEMENT)) {
    // A number in words says little where the same thing is not counted.
    if (claimed.spelled && !sharesWord(claimed, other.value)) return undefined;
    if (isSmall(claimed) && overlap(claimed.local, other.value.local) === 0) return 'doubt';
    const unit = other.value.unit?.key !== claimed.unit?.key || sameNumbers(other.value, claimed);
    const detail = claimed.text;
    return { issue: { kind: unit ? 'unit' : 'number', detail, source: other.value.text }, at: other.at };
  }
  if (claimed.spelled) return undefined;
  if (holding.length > 0) return 'doubt';
  // A small bare number may count or order what the answer says, not what the source does.
  if (isSmall(claimed)) return 'doubt';
  return { issue: { kind: 'number', detail: claimed.text } };
}

const isSmall = ({ unit, numbers }: Quantity) =>
  !unit && numbers.every((number) => Number.isInteger(number) && number <= 12);

/** True for a sum or a difference of two values of the nearest sentences: it may have been worked out rightly. */
function isDerived(claimed: Placed, scored: readonly Scored[]): boolean {
  return scored.slice(0, 3).some(({ statement }) => {
    const values = statement.quantities
      .filter(({ unit }) => unit?.key === claimed.unit?.key && unit !== undefined)
      .slice(0, 12);
    return values.some((a) =>
      values.some((b) => {
        if (a === b) return false;
        const [x, y] = [(a.numbers[0] ?? 0) * (a.unit?.factor ?? 1), (b.numbers[0] ?? 0) * (b.unit?.factor ?? 1)];
        return claimed.numbers.some((number) => {
          const value = Math.abs(number * (claimed.unit?.factor ?? 1));
          return [x + y, Math.abs(x - y)].some((derived) => derived > 0 && Math.abs(derived - value) <= 1e-6 * value);
        });
      }),
    );
  });
}

/** What the nearest sentences say instead: the same number in another unit, or another number in the same. */
function otherValue(claimed: Placed, scored: readonly Scored[], heads: readonly Unit[]) {
  const best = scored[0]?.score ?? 0;
  const near = scored.slice(0, 4).filter(({ score }) => score >= NEAR * best && score > 0);
  const pick = (fits: (there: Placed) => boolean) => {
    for (const { statement, score, around } of near) {
      const fitting = statement.quantities.filter((there) => !agrees(claimed, there, heads) && fits(there));
      const value = fitting.toSorted((a, b) => overlap(b.local, claimed.local) - overlap(a.local, claimed.local))[0];
      if (value) return { value, at: statement, likeness: Math.max(score, around) };
    }
    return undefined;
  };
  const sameNumber = (there: Placed) =>
    there.unit !== undefined && claimed.unit !== undefined && sameNumbers(there, claimed);
  return (
    pick(sameNumber) ??
    pick((there) => there.unit?.key === claimed.unit?.key && !there.spelled) ??
    pick((there) => there.unit?.key === claimed.unit?.key) ??
    pick((there) => there.unit === undefined && !there.spelled && claimed.unit?.key !== 'date')
  );
}

const sameNumbers = (a: Quantity, b: Quantity) => a.numbers.some((number) => b.numbers.includes(number));

/** A value stands in the right sentence: is it said of the same thing there, and as the same bound? */
function checkPlace(claim: Claim, claimed: Placed, { statement, score }: Scored, heads: readonly Unit[]): Found {
  const same = statement.quantities.filter((there) => agrees(claimed, there, heads));
  const others = statement.quantities.filter(
    (there) => there.unit?.key === same[0]?.unit?.key && !same.includes(there),
  );
  const other = others.find((candidate) =>
    isOfOther(claim, claimed, { same, other: candidate, table: !statement.flows }),
  );
  if (other) return { issue: { kind: 'number', detail: claimed.text, source: shorten(other.text) }, at: statement };
  if (statement.flows && others.some((candidate) => mayBeOfOther(claim, claimed, { same, other: candidate })))
    return 'doubt';
  const said = limitOf(claim.text, claimed);
  const [there] = same;
  const limit = there && statement.flows ? limitOf(statement.text, there) : undefined;
  if (said && limit && said !== limit && score >= SAME_STATEMENT) {
    return {
      issue: { kind: 'limit', detail: `${said} ${claimed.text}`, source: `${limit} ${there?.text}` },
      at: statement,
    };
  }
  return undefined;
}

/** Whether a word of the claim stands beside another value only, and the words beside its own value are not all in it. */
function mayBeOfOther(
  claim: Claim,
  claimed: Placed,
  { same, other }: { same: readonly Placed[]; other: Placed },
): boolean {
  if (claim.quantities.some((quantity) => quantity !== claimed && agrees(quantity, other))) return false;
  const mine = new Set(same.flatMap(({ local }) => [...local]));
  const onlyThere = [...other.local].some((word) => !mine.has(word) && claimed.local.has(word));
  return onlyThere && [...mine].some((word) => !other.local.has(word) && !claim.words.has(word));
}

/** Whether what the claim says of its value is said of another value of the same statement. */
function isOfOther(
  claim: Claim,
  claimed: Placed,
  { same, other, table }: { same: readonly Placed[]; other: Placed; table: boolean },
): boolean {
  const mine = new Set(same.flatMap(({ local }) => [...local]));
  const also = claim.quantities.find((quantity) => quantity !== claimed && agrees(quantity, other));
  if (also) {
    // Both values are claimed: are they claimed the other way round?
    const straight = overlap(claimed.local, mine) + overlap(also.local, other.local);
    return overlap(claimed.local, other.local) + overlap(also.local, mine) > straight;
  }
  const onlyThere = [...other.local].filter((word) => !mine.has(word) && claimed.local.has(word));
  const onlyMine = [...mine].filter((word) => !other.local.has(word) && claimed.local.has(word));
  if (onlyMine.length > 0) return false;
  return table ? onlyThere.length > 0 : onlyThere.length > 1 && overlap(claimed.local, mine) === 0;
}

function sharesWord(a: Placed, b: Placed): boolean {
  return a.unit?.key !== undefined ? a.unit.key === b.unit?.key : overlap(a.local, b.local) > 0;
}

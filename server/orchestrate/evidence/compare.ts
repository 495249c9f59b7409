import type { EvidenceIssue, EvidenceOutcome } from '../../core/run';
import { plainSigns } from '../../text/fold';
import type { Language } from '../../text/language';
import { agrees, type Quantity } from '../../text/quantities';
import type { Unit } from '../../text/units';
import { localWords, type Placed, type Source, type Statement, wordsOf } from './statements';
import { concludes, contrasts, forcesOf, isNegated, limitOf } from './wording';

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
/** From here on a sentence speaks of the same thing. */
const SAME_THING = 0.34;
/** Of the best sentence's likeness, so that a value there counts as said of the same thing. */
const NEAR = 0.6;
/** A sentence and its nearest say the same in other words from here on: only then are force and negation compared. */
const SAME_STATEMENT = 0.5;
const MAX_DETAIL = 120;

interface Scored {
  statement: Statement;
  /** Weighted share of the claim's words and identifiers that stand in it or over it. */
  score: number;
  /** The same with its neighbours in running text. */
  around: number;
}

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

/** Statements of the sources, most like the claim first. */
function score(claim: Claim, sources: readonly Source[]): Scored[] {
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
      const matched = claim.quantities.filter((claimed) =>
        statement.quantities.some((there) => agrees(claimed, there)),
      ).length;
      return {
        statement,
        score: own + (total === 0 ? matched / Math.max(1, claim.quantities.length) : 0.02 * matched),
        around,
      };
    })
    .sort((a, b) => b.score - a.score);
}

const holds = ({ words, context, identifiers, owners }: Statement, word: string) =>
  words.has(word) || context.has(word) || identifiers.has(word) || owners.has(word);

interface Checked {
  issues: EvidenceIssue[];
  /** Something stands in the source, but not where the claim would have it. */
  doubt: boolean;
  nearest?: Statement;
}

function checkValues(claim: Claim, scored: readonly Scored[], heads: readonly Unit[]): Checked {
  const checked: Checked = { issues: [], doubt: false };
  for (const claimed of claim.quantities) {
    const found = checkValue(claim, claimed, scored, heads);
    if (found === 'doubt') checked.doubt = true;
    else if (found) {
      checked.issues.push(found.issue);
      checked.nearest ??= found.at;
    }
  }
  if (checked.issues.length === 0 && isScattered(claim, scored, heads)) checked.doubt = true;
  return checked;
}

/** True when several of the claim's values stand in one row of a table, and the others elsewhere. */
function isScattered(claim: Claim, scored: readonly Scored[], heads: readonly Unit[]): boolean {
  const counted = claim.quantities.filter(({ spelled }) => !spelled);
  if (counted.length < 2) return false;
  const held = ({ statement }: Scored) =>
    counted.filter((claimed) => statement.quantities.some((there) => agrees(claimed, there, heads))).length;
  const most = (flows: boolean) =>
    Math.max(0, ...scored.filter(({ statement }) => statement.flows === flows).map(held));
  const inRow = most(false);
  return inRow >= 2 && inRow < counted.length && most(true) < inRow;
}

type Found = { issue: EvidenceIssue; at?: Statement } | 'doubt' | undefined;

function checkValue(claim: Claim, claimed: Placed, scored: readonly Scored[], heads: readonly Unit[]): Found {
  const best = scored[0]?.score ?? 0;
  const holding = scored.filter(({ statement }) => statement.quantities.some((there) => agrees(claimed, there, heads)));
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
    const unit = other.value.unit?.key !== claimed.unit?.key || sameNumbers(other.value, claimed);
    const detail = claimed.text;
    return { issue: { kind: unit ? 'unit' : 'number', detail, source: other.value.text }, at: other.at };
  }
  if (claimed.spelled) return undefined;
  if (holding.length > 0) return 'doubt';
  return { issue: { kind: 'number', detail: claimed.text } };
}

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

function checkIdentifiers(claim: Claim, scored: readonly Scored[]): Checked {
  const checked: Checked = { issues: [], doubt: false };
  const best = scored[0];
  if (!best) return checked;
  for (const identifier of claim.identifiers) {
    const named = ({ statement }: Scored) => statement.identifiers.has(identifier) || statement.owners.has(identifier);
    const holding = scored.filter(named);
    const other = scored
      .slice(0, 3)
      .filter(({ score }) => score >= NEAR * best.score)
      .flatMap(({ statement }) => [...statement.identifiers, ...statement.owners])
      .find((name) => name !== identifier && !claim.identifiers.has(name) && isAlike(name, identifier));
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

/** How much of a claim besides one identifier stands in a statement: its words and values. */
function restScore(claim: Claim, { statement }: Scored, identifier: string): number {
  const words = [...claim.words].filter((word) => !identifier.includes(word));
  const all = words.length + 2 * claim.quantities.length;
  if (all === 0) return 0;
  const said = words.filter((word) => statement.words.has(word) || statement.context.has(word)).length;
  const values = claim.quantities.filter((claimed) =>
    statement.quantities.some((there) => agrees(claimed, there)),
  ).length;
  return (said + 2 * values) / all;
}

/** Names of one family: the same but for their digits, or with a long common beginning. */
function isAlike(a: string, b: string): boolean {
  if (a.replace(/\d+/g, '0') === b.replace(/\d+/g, '0')) return true;
  let common = 0;
  while (common < Math.min(a.length, b.length) && a[common] === b[common]) common += 1;
  return common >= 4 && common >= 0.4 * Math.min(a.length, b.length);
}

/** Force and negation of a claim as a whole, or of each of the parts that it sets against each other. */
function checkWording(claim: Claim, scored: readonly Scored[]): EvidenceIssue[] {
  const parts = claim.text.split(APART).filter((part) => part.trim() !== '');
  if (parts.length === 1) return checkPart(claim, scored);
  return parts.flatMap((text) => {
    const { words, identifiers } = wordsOf(text, claim.language);
    if (words.size + identifiers.size < 3) return [];
    const part = { ...claim, text, words, identifiers, forces: forcesOf(text), negated: isNegated(text) };
    const all = [...words, ...identifiers];
    const likest = scored
      .map((candidate) => ({
        ...candidate,
        score: all.filter((word) => holds(candidate.statement, word)).length / all.length,
      }))
      .sort((a, b) => b.score - a.score);
    return checkPart(part, likest);
  });
}

/** What sets two statements of one sentence apart. */
const APART =
  /;|,?\s(?:but|whereas|while|aber|während|mais|tandis que|alors que|pero|mientras que|ma|mentre|но)\s|；/iu;

/** Against a clearly best sentence. */
function checkPart(claim: Claim, scored: readonly Scored[]): EvidenceIssue[] {
  const [best, second] = scored;
  if (!best || best.score < SAME_STATEMENT) return [];
  const rival = second && second.score > best.score - 0.12 ? second.statement : undefined;
  const issues: EvidenceIssue[] = [];
  const there = forcesOf(best.statement.text);
  const agreed = (forces: readonly string[]) => claim.forces.some((force) => forces.includes(force));
  if (claim.forces.length > 0 && there.length > 0 && !agreed(there) && !(rival && agreed(forcesOf(rival.text)))) {
    issues.push({ kind: 'force', detail: claim.forces.join(', '), source: there.join(', ') });
  }
  const denied = denies(best.statement.text, claim);
  if (claim.negated !== denied && !(rival && denies(rival.text, claim) === claim.negated)) {
    issues.push({
      kind: 'negation',
      detail: claim.negated ? 'denied' : 'affirmed',
      source: shorten(best.statement.text),
    });
  }
  return issues;
}

/** Parts of a sentence that may be denied for themselves. */
const PARTS =
  /[,;:()]|(?<!\p{L})(?:that|which|who|unless|if|when|because|since|after|before|but|and|dass|welche[rs]?|wenn|falls|weil|nachdem|bevor|aber|und|sofern|qui|que|si|lorsque|car|mais|et|sauf|donde|cuando|pero|se|quando|ma|если|когда|но|и)(?!\p{L})|[，；。]/iu;

/** Whether a text denies what the claim speaks of, and not something else that it says besides. */
function denies(text: string, claim: Claim): boolean {
  if (!isNegated(text)) return false;
  // A limit such as "not more than" may be cut in two by its own words, so the whole decides first.
  return text.split(PARTS).some((part) => {
    if (!isNegated(part)) return false;
    const { words, identifiers } = wordsOf(part, claim.language);
    const own = [...words, ...identifiers];
    return (
      own.length > 0 &&
      own.filter((word) => claim.words.has(word) || claim.identifiers.has(word)).length >= 0.5 * own.length
    );
  });
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

function sharesWord(a: Placed, b: Placed): boolean {
  return a.unit?.key !== undefined ? a.unit.key === b.unit?.key : overlap(a.local, b.local) > 0;
}

function overlap(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let shared = 0;
  for (const word of a) if (b.has(word)) shared += 1;
  return shared;
}

const shorten = (text: string) => (text.length <= MAX_DETAIL ? text : `${text.slice(0, MAX_DETAIL - 1)}…`);

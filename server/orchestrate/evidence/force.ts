import { type Checked, type Claim, holds, SAME_STATEMENT, type Scored, shorten } from './claim';
import { wordsOf } from './statements';
import { forcesOf, isConditional, isNegated } from './wording';

/** Force and negation of a claim as a whole, or of each of the parts that it sets against each other. */
export function checkWording(claim: Claim, scored: readonly Scored[]): Checked {
  const parts = claim.text.split(APART).filter((part) => part.trim() !== '');
  if (parts.length === 1) return checkPart(claim, scored);
  const checked = parts.map((text): Checked => {
    const { words, identifiers } = wordsOf(text, claim.language);
    if (words.size + identifiers.size < 3) return { issues: [], doubt: false };
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
  return { issues: checked.flatMap(({ issues }) => issues), doubt: checked.some(({ doubt }) => doubt) };
}

/** What sets two statements of one sentence apart. */
const APART =
  /;|,?\s(?:but|whereas|while|aber|während|mais|tandis que|alors que|pero|mientras que|ma|mentre|но)\s|；/iu;

/** Against a clearly best sentence. */
function checkPart(claim: Claim, scored: readonly Scored[]): Checked {
  const [best, second] = scored;
  const checked: Checked = { issues: [], doubt: false };
  if (!best || best.score < SAME_STATEMENT) return checked;
  const rival = second && second.score > best.score - 0.12 ? second.statement : undefined;
  const there = forcesOf(best.statement.text);
  const agreed = (forces: readonly string[]) => claim.forces.some((force) => forces.includes(force));
  const forced =
    claim.forces.length > 0 && there.length > 0 && !agreed(there) && !(rival && agreed(forcesOf(rival.text)));
  const turned =
    claim.negated !== denies(best.statement.text, claim) && !(rival && denies(rival.text, claim) === claim.negated);
  // "Shall not be opened before" is "may only be opened after".
  if (turned && (isConditional(claim.text) || isConditional(best.statement.text))) return { issues: [], doubt: true };
  if (forced) checked.issues.push({ kind: 'force', detail: claim.forces.join(', '), source: there.join(', ') });
  if (turned) {
    const detail = claim.negated ? 'denied' : 'affirmed';
    checked.issues.push({ kind: 'negation', detail, source: shorten(best.statement.text) });
  }
  return checked;
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

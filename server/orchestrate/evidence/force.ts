import type { EvidenceIssue } from '../../core/run';
import { type Claim, holds, SAME_STATEMENT, type Scored, shorten } from './claim';
import { wordsOf } from './statements';
import { forcesOf, isNegated } from './wording';

/** Force and negation of a claim as a whole, or of each of the parts that it sets against each other. */
export function checkWording(claim: Claim, scored: readonly Scored[]): EvidenceIssue[] {
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

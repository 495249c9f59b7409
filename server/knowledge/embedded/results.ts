import type { Candidate, Passage, StageScores } from '../../core/knowledge';
import { isIdentifier } from '../../lib/analyze';
import type { StoredPassage } from './passage-store';

/** A passage that was found, with what every stage says about it. */
export interface Found {
  passage: StoredPassage;
  score: number;
  scores: StageScores;
  ranks: StageScores;
}

/** Passages compared with each other for copies. */
const COMPARED = 60;
/** Share of words that two passages have in common when one is a copy of the other (Jaccard). */
const COPY = 0.9;
/** Passages of one page joined at most. */
const MAX_JOINED = 3;
/** A passage joins a better one of its page when it scores at least this share of it. */
const JOIN_SHARE = 0.5;

/**
 * Drops passages that repeat a better one, as revisions of a manual do. Passages that differ in a number or
 * an identifier are never copies: requirements often differ in nothing else.
 */
export function withoutCopies(found: readonly Found[]): Found[] {
  const seen: { words: ReadonlySet<string>; exact: string }[] = [];
  return found.filter(({ passage }, index) => {
    if (index >= COMPARED) return true;
    const words = new Set(passage.terms.split(' '));
    const exact = [...words].filter((word) => /\d/.test(word) || isIdentifier(word)).join(' ');
    if (seen.some((other) => other.exact === exact && overlap(other.words, words) >= COPY)) return false;
    seen.push({ words, exact });
    return true;
  });
}

function overlap(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  if (Math.min(a.size, b.size) < COPY * Math.max(a.size, b.size)) return 0;
  let common = 0;
  for (const word of a) if (b.has(word)) common += 1;
  return common / (a.size + b.size - common);
}

/** Passages of one page are one result: the best keeps its score and place, near ones lend their text, in page order. */
export function mergePages(found: readonly Found[]): Found[] {
  const pages = new Map<string, Found[]>();
  for (const one of found) {
    const key = `${one.passage.documentId} ${one.passage.page}`;
    const group = pages.get(key);
    if (!group) pages.set(key, [one]);
    else if (group.length < MAX_JOINED && one.score >= JOIN_SHARE * (group[0]?.score ?? 0)) group.push(one);
  }
  return [...pages.values()].flatMap((group) => {
    const [best] = group;
    return best ? [{ ...best, passage: { ...best.passage, ...joined(group) } }] : [];
  });
}

function joined(group: readonly Found[]): Pick<StoredPassage, 'text' | 'boxes'> {
  const inOrder = group.map(({ passage }) => passage).sort((a, b) => a.position - b.position);
  const text = inOrder.reduce((before, passage, index) => {
    if (index === 0) return passage.text;
    const adjacent = passage.position === (inOrder[index - 1]?.position ?? 0) + 1;
    return `${before}${adjacent ? '\n\n' : '\n\n[…]\n\n'}${passage.text}`;
  }, '');
  return { text, boxes: inOrder.flatMap(({ boxes }) => boxes) };
}

export function toResult({ passage, score, scores, ranks }: Found): Passage {
  return {
    id: passage.id,
    documentId: passage.documentId,
    source: passage.source,
    title: passage.title ?? undefined,
    page: passage.page,
    pageKind: passage.pageKind,
    heading: passage.heading ?? undefined,
    text: passage.text,
    score,
    scores,
    ranks,
    url: undefined,
    collection: passage.collection,
    boxes: passage.boxes,
  };
}

export function toCandidate(found: Found): Candidate {
  const { text: _text, url: _url, boxes: _boxes, ...candidate } = toResult(found);
  return candidate;
}

import type { Candidate, Passage, StageScores } from '../../core/knowledge';
import { isIdentifier } from '../../text/words';
import type { StoredPassage } from './passage-store';
import { eachStored, formsOfStored } from './terms';

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
/** Passages joined at most. */
const MAX_JOINED = 3;
/** A passage joins a better one beside it when it scores at least this share of it. */
const JOIN_SHARE = 0.5;

/**
 * Drops passages that repeat a better one, as revisions of a manual do. Passages that differ in a number or
 * an identifier are never copies: requirements often differ in nothing else.
 */
export function withoutCopies(found: readonly Found[]): Found[] {
  const seen: { words: ReadonlySet<string>; exact: string }[] = [];
  return found.filter(({ passage }, index) => {
    if (index >= COMPARED) return true;
    const words = termsOf(passage);
    const exact = [...words].filter((word) => /\d/.test(word) || isIdentifier(word)).join(' ');
    if (seen.some((other) => other.exact === exact && overlap(other.words, words) >= COPY)) return false;
    seen.push({ words, exact });
    return true;
  });
}

/** Every form of the words of a passage. */
export function termsOf({ terms }: Pick<StoredPassage, 'terms'>): Set<string> {
  const words = new Set<string>();
  const add = (word: string, language: string) => {
    for (const form of formsOfStored(word, language)) words.add(form);
  };
  eachStored(terms, add, () => {});
  return words;
}

function overlap(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  if (Math.min(a.size, b.size) < COPY * Math.max(a.size, b.size)) return 0;
  let common = 0;
  for (const word of a) if (b.has(word)) common += 1;
  return common / (a.size + b.size - common);
}

/**
 * Joins passages of a page that follow each other into one result: the best keeps its score and place, those beside it
 * lend their text, in page order. What joins nothing stays a result of its own.
 */
export function joinAdjacent(found: readonly Found[]): Found[] {
  const groups: Found[][] = [];
  for (const one of found) {
    const group = groups.find((candidates) => joins(one, candidates));
    if (group) group.push(one);
    else groups.push([one]);
  }
  return groups.flatMap((group) => {
    const [best] = group;
    return best ? [{ ...best, passage: { ...best.passage, ...joined(group) } }] : [];
  });
}

/** A result with less text than this is shown with what stands around it. */
const SHORT_CHARS = 800;
/** And grows up to this, the length of a long passage. */
const FULL_CHARS = 1_600;

/** Ids of the passages before and after each short result, which lend it their text where there is room. */
export function neighbourIds(
  results: readonly Found[],
  toId: (documentId: string, position: number) => string,
): string[] {
  const shown = new Set(results.map(({ passage }) => passage.id));
  return results
    .filter(({ passage }) => passage.text.length < SHORT_CHARS)
    .flatMap(({ passage: { documentId, position } }) => [
      toId(documentId, position + 1),
      toId(documentId, position - 1),
    ])
    .filter((id) => !shown.has(id));
}

/** Short results with the passages of their page that stand before and after them, as far as there is room. */
export function withNeighbours(results: readonly Found[], neighbours: readonly StoredPassage[]): Found[] {
  const byPlace = new Map(neighbours.map((passage) => [`${passage.documentId} ${passage.position}`, passage]));
  return results.map((result) => {
    const { passage } = result;
    if (passage.text.length >= SHORT_CHARS) return result;
    const around = [passage.position + 1, passage.position - 1].flatMap(
      (position) => byPlace.get(`${passage.documentId} ${position}`) ?? [],
    );
    let room = FULL_CHARS - passage.text.length;
    const added = around.filter(({ page, text }) => {
      // It may have been joined before.
      if (page !== passage.page || text.length > room || passage.text.includes(text)) return false;
      room -= text.length;
      return true;
    });
    if (added.length === 0) return result;
    return {
      ...result,
      passage: { ...passage, ...joined([result, ...added.map((one) => ({ ...result, passage: one }))]) },
    };
  });
}

function joins({ passage, score }: Found, group: readonly Found[]): boolean {
  const [best] = group;
  if (!best || group.length >= MAX_JOINED || score < JOIN_SHARE * best.score) return false;
  const { documentId, page } = best.passage;
  if (passage.documentId !== documentId || passage.page !== page) return false;
  return group.some((member) => Math.abs(member.passage.position - passage.position) === 1);
}

function joined(group: readonly Found[]): Pick<StoredPassage, 'text' | 'boxes'> {
  const inOrder = group.map(({ passage }) => passage).sort((a, b) => a.position - b.position);
  return { text: inOrder.map(({ text }) => text).join('\n\n'), boxes: inOrder.flatMap(({ boxes }) => boxes) };
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

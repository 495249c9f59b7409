import type { CitedPassage } from '../core/knowledge';
import type { Citation, EvidenceIssue, SentenceEvidence } from '../core/run';
import { detectLanguage, ENGLISH, type Language } from '../text/language';
import { contentStems, isIdentifier } from '../text/words';
import { agrees, quantitiesOf } from './quantities';
import { type Span, splitSentences } from './sentences';

/** From here on a sentence counts as supported by the passages it cites. */
const SUPPORTED = 0.5;
/** Most support that is left when a number, an identifier or the force of a requirement differs. */
const CONTRADICTED = 0.25;
/** A sentence and one of its source say the same thing in other words from here on: only then are their verbs compared. */
const SAME_STATEMENT = 0.5;
/** Share of a source's sentence that a claim repeats when it holds it as a whole. */
const HELD = 0.75;
/** Longer answers are checked up to here. */
const MAX_SENTENCES = 400;

/** What obliges, recommends and permits (ISO/IEC Directives part 2; ECSS-S-ST-00-01C). */
const FORCE: readonly [name: string, pattern: RegExp][] = [
  ['shall', /\b(?:shall|must|is required to|are required to|muss|müssen)\b/i],
  ['should', /\b(?:should|is recommended|are recommended|soll|sollen|sollte|sollten)\b/i],
  ['may', /\b(?:may|is permitted|are permitted|is allowed|are allowed|darf|dürfen)\b/i],
];
const NEGATION = /\b(?:not|never|no|cannot|nicht|kein|keine|keinen|nie)\b|n't\b/i;

/** Negative words that limit instead: "no later than 10 s" is "within 10 s". */
const NO_NEGATION =
  /\b(?:no|not)(?: be)? (?:later|earlier|more|less|fewer|greater|lower|higher) than\b|\bnot only\b|\bnicht nur\b/gi;

/** A passage, prepared for comparing. */
interface Source {
  /** What the model was told that the passage is from. */
  names: readonly string[];
  terms: ReadonlySet<string>;
  quantities: ReturnType<typeof quantitiesOf>;
  sentences: { text: string; terms: ReadonlySet<string> }[];
  language: Language;
}

/**
 * How far each sentence of an answer is borne out by the passages it cites, without a model:
 *
 *   support = share of the sentence's words, numbers with units and identifiers that stand in the cited passages,
 *   at most 0.25 when a number or an identifier is missing there, or the force of a requirement (shall,
 *   should, may) or a negation differs.
 *
 * It says whether the words of a claim are in its source, not whether the claim follows: a reader decides.
 * Sentences without a citation are not judged. An answer in another language than its sources is judged by
 * numbers and identifiers only.
 */
export function judgeSentences(
  text: string,
  citations: readonly Citation[],
  passages: readonly CitedPassage[],
): SentenceEvidence[] {
  if (citations.length === 0) return [];
  const sources = new Map<number, Source>();
  const sourceOf = (n: number): Source | undefined => {
    const known = sources.get(n);
    if (known) return known;
    const passage = passages.find((candidate) => candidate.n === n);
    if (passage?.text === undefined) return undefined;
    const source = prepare(passage.text, namesOf(passage));
    sources.set(n, source);
    return source;
  };
  const language = detectLanguage(text) ?? ENGLISH;
  const judged: SentenceEvidence[] = [];
  let next = 0;
  for (const span of splitSentences(text)) {
    if (judged.length >= MAX_SENTENCES) break;
    const cites = new Set<number>();
    for (; next < citations.length && (citations[next]?.at ?? 0) < span.end; next++) {
      const citation = citations[next];
      if (citation && citation.at >= span.start) cites.add(citation.n);
    }
    if (cites.size === 0) continue;
    const cited = [...cites].flatMap((n) => sourceOf(n) ?? []);
    judged.push({
      text: text.slice(span.start, span.end),
      ...span,
      cites: [...cites],
      ...judge(text, span, cited, language),
    });
  }
  return judged;
}

function judge(text: string, span: Span, sources: readonly Source[], language: Language) {
  if (sources.length === 0) return { support: null, supported: null, issues: [] };
  const sentence = text.slice(span.start, span.end).replace(/\[\d{1,3}\]/g, (marker) => ' '.repeat(marker.length));
  // Where a statement stands is no number of it.
  const quantities = quantitiesOf(withoutNames(sentence, sources));
  // Numbers and units are compared as such; as words they would count twice.
  const wording = quantities.reduce(
    (rest, { start, end }) => rest.slice(0, start) + ' '.repeat(end - start) + rest.slice(end),
    sentence,
  );
  const terms = [...new Set(contentStems(wording, language))];
  const words = terms.filter((term) => /\p{L}/u.test(term) && !isIdentifier(term));
  const identifiers = terms.filter(isIdentifier);
  const comparable = sources.some((source) => source.language === language);
  const issues: EvidenceIssue[] = [
    ...quantities
      .filter((claimed) => !sources.some((source) => source.quantities.some((there) => agrees(claimed, there))))
      .map(({ text: detail }): EvidenceIssue => ({ kind: 'number', detail })),
    ...identifiers
      .filter((identifier) => !sources.some((source) => source.terms.has(identifier)))
      .map((detail): EvidenceIssue => ({ kind: 'identifier', detail })),
    ...(comparable ? forceIssues(sentence, words, sources) : []),
  ];
  const exact = quantities.length + identifiers.length;
  const claims = exact + (comparable ? words.length : 0);
  if (claims === 0) return { support: null, supported: null, issues };
  const shared = comparable ? words.filter((word) => sources.some((source) => source.terms.has(word))).length : 0;
  const share = (exact + shared) / claims;
  const support = issues.length > 0 ? Math.min(share, CONTRADICTED) : share;
  return { support: Math.round(support * 100) / 100, supported: support >= SUPPORTED, issues };
}

/**
 * Compares a claim with the sentence of its sources that is most like it, and with those that it holds as a
 * whole: a claim may join several.
 */
function forceIssues(sentence: string, words: readonly string[], sources: readonly Source[]): EvidenceIssue[] {
  const claim = new Set(words);
  let best = { share: 0, text: '' };
  const held: string[] = [];
  for (const { text, terms } of sources.flatMap((source) => source.sentences)) {
    const shared = words.filter((word) => terms.has(word)).length;
    const share = shared / Math.max(1, words.length);
    if (share > best.share) best = { share, text };
    const own = [...terms].filter((term) => /\p{L}/u.test(term));
    if (shared >= 2 && own.filter((term) => claim.has(term)).length >= HELD * own.length) held.push(text);
  }
  if (best.share < SAME_STATEMENT) return [];
  const issues: EvidenceIssue[] = [];
  const claimed = forcesOf(sentence);
  const found = [best.text, ...held].map(forcesOf).filter((forces) => forces.length > 0);
  const other = found.find((forces) => !forces.some((force) => claimed.includes(force)));
  const missing = claimed.find((force) => found.length > 0 && !found.flat().includes(force));
  if (claimed.length > 0 && (other || missing)) {
    const detail = `${missing ?? claimed.join(' and ')}, the source says ${(other ?? found.flat()).join(' and ')}`;
    issues.push({ kind: 'force', detail });
  }
  if (isNegated(sentence) !== isNegated(best.text)) {
    issues.push({ kind: 'negation', detail: isNegated(sentence) ? 'negated here only' : 'negated in the source only' });
  }
  return issues;
}

const forcesOf = (sentence: string) => FORCE.filter(([, pattern]) => pattern.test(sentence)).map(([name]) => name);
const isNegated = (sentence: string) => NEGATION.test(sentence.replaceAll('’', "'").replace(NO_NEGATION, ' '));

/** What the model was told a passage is from: naming it claims nothing that the text would have to hold. */
function namesOf({ source, page, pageKind, title, heading }: CitedPassage): string[] {
  const names = [source, source.replace(/\.\w{1,5}$/, ''), `${pageKind} ${page}`, `p. ${page}`, title, heading];
  return names.filter((name) => name !== undefined && name !== '') as string[];
}

/** Blanks in place of the names of sources; everything else stays where it was. */
function withoutNames(sentence: string, sources: readonly Source[]): string {
  let rest = sentence;
  const folded = sentence.toLowerCase();
  if (folded.length !== sentence.length) return sentence;
  for (const name of sources.flatMap(({ names }) => names).map((one) => one.toLowerCase())) {
    for (let at = folded.indexOf(name); at >= 0; at = folded.indexOf(name, at + name.length)) {
      // "page 3" is not named by "page 30".
      const after = folded[at + name.length] ?? ' ';
      if (/[\p{L}\p{N}]/u.test(after)) continue;
      rest = rest.slice(0, at) + ' '.repeat(name.length) + rest.slice(at + name.length);
    }
  }
  return rest;
}

function prepare(text: string, names: readonly string[]): Source {
  const language = detectLanguage(text) ?? ENGLISH;
  const all = [...names, text].join('\n\n');
  // Lines of a paragraph run on: only blank lines, lists and tables end a sentence.
  const flowing = text.replace(/([^\n])\n(?=[^\n|\-*#\s])/g, '$1 ');
  return {
    names,
    terms: new Set(contentStems(all, language)),
    quantities: quantitiesOf(text),
    sentences: splitSentences(flowing).map(({ start, end }) => {
      const sentence = flowing.slice(start, end);
      return { text: sentence, terms: new Set(contentStems(sentence, language)) };
    }),
    language,
  };
}

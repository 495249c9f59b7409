import type { CitedPassage } from '../../core/knowledge';
import type { Citation, EvidenceIssue, EvidenceOutcome, SentenceEvidence } from '../../core/run';
import { detectLanguage, ENGLISH, type Language } from '../../text/language';
import { quantitiesOf } from '../../text/quantities';
import { type Span, splitSentences } from '../../text/sentences';
import { type Claim, shorten } from './claim';
import { type Comparison, compare } from './compare';
import {
  isUnspaced,
  localWords,
  MAX_QUANTITIES,
  type Source,
  toSource,
  withoutQuantities,
  wordsOf,
} from './statements';
import { forcesOf, isNegated } from './wording';

/** Longer answers are checked up to here; the rest is counted as unchecked. */
const MAX_SENTENCES = 400;
/** Of a longer sentence the rest is not looked at. */
const MAX_SENTENCE_CHARS = 2_000;
const MAX_NEAREST_CHARS = 300;
/** The check gives way to other answers after this long. */
const SLICE_MS = 8;

export interface Judged {
  sentences: SentenceEvidence[];
  /** Sentences that were not looked at, since the answer has too many. */
  unchecked: number;
}

/** An answer and the passages that the model was given, ready to be compared. */
export interface PreparedAnswer {
  text: string;
  /** Blanks in place of what the model thought aloud; places are those of the text. */
  spoken: string;
  language: Language;
  /** True when the language does not show and is taken to be that of the passages. */
  assumed: boolean;
  unspaced: boolean;
  passages: readonly CitedPassage[];
  /** A passage by its number, taken apart when it is first asked for; undefined for one without text. */
  sourceOf(n: number): Source | undefined;
}

export function prepareAnswer(text: string, passages: readonly CitedPassage[]): PreparedAnswer {
  const spoken = withoutThoughts(text);
  const detected = detectLanguage(spoken);
  const language = detected ?? detectLanguage(passages.map((passage) => passage.text ?? '').join('\n')) ?? ENGLISH;
  const sources = new Map<number, Source>();
  const sourceOf = (n: number) => {
    const known = sources.get(n);
    if (known) return known;
    const passage = passages.find((candidate) => candidate.n === n);
    if (passage?.text === undefined) return undefined;
    const source = toSource(passage, language);
    sources.set(n, source);
    return source;
  };
  return { text, spoken, language, assumed: detected === undefined, unspaced: isUnspaced(spoken), passages, sourceOf };
}

/**
 * How each sentence of an answer stands to the passages that the model was given, without a model. A sentence that
 * cites is compared with what it cites, one that does not with all of them; what makes no claim (a question, a
 * heading, a lead-in) is left out. `everySentence` is false where Ivy itself wrote what cites nothing.
 */
export async function judgeSentences(
  prepared: PreparedAnswer,
  citations: readonly Citation[],
  { everySentence }: { everySentence: boolean },
): Promise<Judged> {
  const { text, passages, sourceOf } = prepared;
  const names = passages.flatMap(namesOf);
  const sentences: SentenceEvidence[] = [];
  let unchecked = 0;
  let next = 0;
  const pause = createPause();
  for (const span of splitSentences(prepared.spoken)) {
    await pause();
    const cites = new Set<number>();
    for (; next < citations.length && (citations[next]?.at ?? 0) < span.end; next++) {
      const citation = citations[next];
      if (citation && citation.at >= span.start) cites.add(citation.n);
    }
    if (cites.size === 0 && !everySentence) continue;
    if (sentences.length >= MAX_SENTENCES) {
      unchecked += 1;
      continue;
    }
    const sentence = text.slice(span.start, Math.min(span.end, span.start + MAX_SENTENCE_CHARS));
    const claim = toClaim(sentence, prepared, names);
    if (!claim || (cites.size === 0 && !isStatement(text, span, claim))) continue;
    const sources = (cites.size > 0 ? [...cites] : passages.map(({ n }) => n))
      .map(sourceOf)
      .filter((source) => source !== undefined);
    const complete = sources.length === (cites.size > 0 ? cites.size : passages.length);
    const found = cites.size > 0 ? judgeCited(claim, sources) : await judgeUncited(claim, sources, pause);
    // What is said beyond what was looked at, or stands in a passage whose text is not known, cannot be told.
    const cut = span.end - span.start > MAX_SENTENCE_CHARS;
    const open = (found.outcome === 'no_source' && !complete) || (found.outcome === 'supported' && cut);
    const verdict = open ? { ...found, outcome: 'unknown' as const } : found;
    sentences.push({ text: sentence, ...span, cites: [...cites], ...verdict });
  }
  return { sentences, unchecked };
}

type Pause = () => Promise<void> | undefined;

/** Gives way to other work when a slice of time is used up. */
export function createPause(): Pause {
  let ends = performance.now() + SLICE_MS;
  return () => {
    if (performance.now() < ends) return undefined;
    return new Promise((resolve) =>
      setImmediate(() => {
        ends = performance.now() + SLICE_MS;
        resolve();
      }),
    );
  };
}

type Verdict = Pick<SentenceEvidence, 'outcome' | 'support' | 'issues' | 'nearest' | 'attributed'>;

function judgeCited(claim: Claim, sources: readonly Source[]): Verdict {
  if (sources.length === 0) return { outcome: 'unknown', support: null, issues: [] };
  return toVerdict(compare(claim, sources));
}

/** Of a sentence that cites nothing: a passage that bears it out is named, and one that says otherwise. */
async function judgeUncited(claim: Claim, sources: readonly Source[], pause: Pause): Promise<Verdict> {
  if (sources.length === 0) return { outcome: 'no_source', support: null, issues: [] };
  let best: (Comparison & { n: number }) | undefined;
  for (const source of sources) {
    await pause();
    const found = { ...compare(claim, [source]), n: source.n };
    if (found.outcome === 'supported' && (!best || (found.support ?? 0) > (best.support ?? 0))) best = found;
  }
  if (best) return { ...toVerdict(best), attributed: best.n };
  await pause();
  const all = compare(claim, sources);
  // What differs must be of the same thing; of the rest nothing bears it out.
  const outcome: EvidenceOutcome = all.outcome === 'differs' ? 'differs' : 'no_source';
  return toVerdict({ ...all, outcome });
}

function toVerdict({ outcome, support, issues, nearest }: Comparison): Verdict {
  return {
    outcome,
    support: support === null ? null : Math.round(Math.min(1, support) * 100) / 100,
    issues: issues as EvidenceIssue[],
    ...(nearest && { nearest: { n: nearest.n, text: shorten(nearest.text, MAX_NEAREST_CHARS) } }),
  };
}

const MARKER_OR_CODE = /\[\d{1,3}\]|`[^`\n]{1,300}`/g;
/** `MAX_RATE_HZ` and `10 Hz` in code say something of the documents, `a[1] = 0;` does not. */
const isName = (found: string) => found.startsWith('`') && !/[=;{}()[\]<>]/.test(found);

/**
 * What a sentence claims; undefined when it holds nothing that could be compared. `names` are what the model was told that
 * the passages are from: naming them claims nothing that a text would have to hold.
 */
function toClaim(
  sentence: string,
  { language, assumed, unspaced }: PreparedAnswer,
  names: readonly string[],
): Claim | undefined {
  const text = withoutNames(
    sentence.replace(MARKER_OR_CODE, (found) => (isName(found) ? found : ' '.repeat(found.length))),
    names,
  ).replace(/\u00ad/g, '');
  const quantities = quantitiesOf(text, assumed ? undefined : language.code);
  const { words, identifiers } = wordsOf(withoutQuantities(text, quantities).replace(REPORTING, ' '), language);
  const [forces, negated] = [forcesOf(text), isNegated(text)];
  // "See also [1]" says nothing that could be borne out; "It may be reused" does.
  const few = words.size < (forces.length > 0 || negated ? 1 : 2);
  if (few && identifiers.size + quantities.length === 0) return undefined;
  return {
    text,
    words,
    identifiers,
    quantities: quantities
      .slice(0, MAX_QUANTITIES)
      .map((quantity) => ({ ...quantity, local: localWords(text, quantity, language) })),
    forces,
    negated,
    language,
    assumed,
    unspaced,
  };
}

/** Words that say where a statement is from. */
const REPORTING =
  /(?<!\p{L})(?:according to|as (?:stated|described|specified|defined|shown|given) in|(?:the )?(?:document|passage|source|text|standard|manual) (?:states|says|specifies|describes|notes|mentions) that|minus|laut|gemäß|dem Dokument zufolge|selon|d'après|conformément à|según|de acuerdo con|secondo|согласно)(?!\p{L})|根据|根據|によると|によれば/giu;

/** Lead-ins, questions, headings and what a model says of itself or of its sources as a whole. */
const NO_CLAIM =
  /^(?:sure|certainly|of course|okay|here (?:is|are)|let me|let's|i |i'|please |feel free|if you |hope |based on |according to the (?:provided|given)|in summary|sources?:|quellen?:|gerne|hier (?:ist|sind)|ich |bitte |wenn sie |zusammenfass|bien sûr|voici|je |n'hésitez|por supuesto|aquí |ecco|конечно|вот )/i;
const ABOUT_SOURCES =
  /(?<!\p{L})(?:documents?|passages?|context|sources?|excerpts?|information provided|dokumente?n?|textstellen?|quellen?|kontext|passages|extraits?|contexte)(?!\p{L})[^.]{0,80}(?<!\p{L})(?:not|no|n't|nothing|nicht|kein\p{L}*|nichts|pas|aucune?|rien)(?!\p{L})|(?<!\p{L})(?:no|kein\p{L}*|aucune?) (?:document|passage|dokument|textstelle)/iu;

/** Whether an uncited sentence claims something of the documents' subject. */
function isStatement(text: string, { start, end }: Span, claim: Claim): boolean {
  const sentence = text.slice(start, end).trim();
  if (/[?？]["”*)]*$/.test(sentence)) return false;
  const exact = claim.quantities.some(({ spelled }) => !spelled) || claim.identifiers.size > 0;
  if (exact) return true;
  // Signs of headings stand close before.
  const line =
    text
      .slice(Math.max(0, start - 12), start)
      .split('\n')
      .at(-1) ?? '';
  if (/^\s*#/.test(line) || /[:：]["”*_]*$/.test(sentence)) return false;
  // A line in bold and nothing else is a heading.
  if (/^(?:\*\*|__)[^*_]+(?:\*\*|__)$/.test(sentence)) return false;
  if (claim.words.size < 3 || NO_CLAIM.test(sentence.replace(/^[*_"“]+/, '')) || ABOUT_SOURCES.test(sentence))
    return false;
  return /\p{L}/u.test(sentence);
}

/** What a model thinks aloud before it answers is no part of the answer. The length stays. */
function withoutThoughts(text: string): string {
  return text.replace(/<(think|thinking|reasoning)>[\s\S]*?(?:<\/\1>|$)/g, (thought) => thought.replace(/[^\n]/g, ' '));
}

function namesOf({ source, page, pageKind, title, heading }: CitedPassage): string[] {
  // A heading in words may be what the sentence is about; one with a number is where it stands.
  const numbered = [source.replace(/\.\w{1,5}$/, ''), title, heading].filter((name) => name && /\d/.test(name));
  return [source, `${pageKind} ${page}`, `p. ${page}`, ...(numbered as string[])].filter(({ length }) => length > 2);
}

/** Blanks in place of the names of sources; everything else stays where it was. */
function withoutNames(sentence: string, names: readonly string[]): string {
  const folded = sentence.toLowerCase();
  if (folded.length !== sentence.length) return sentence;
  let rest = sentence;
  for (const name of names) {
    const wanted = name.toLowerCase();
    for (let at = folded.indexOf(wanted); at >= 0; at = folded.indexOf(wanted, at + wanted.length)) {
      // "page 3" is not named by "page 30".
      const [before, after] = [folded[at - 1] ?? ' ', folded[at + wanted.length] ?? ' '];
      if (/[\p{L}\p{N}.,]/u.test(before) || /[\p{L}\p{N}]/u.test(after)) continue;
      rest = rest.slice(0, at) + ' '.repeat(wanted.length) + rest.slice(at + wanted.length);
    }
  }
  return rest;
}

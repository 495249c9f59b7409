import type { CitedPassage } from '../core/knowledge';
import type { CitationStyle, Conflict, EvidenceOutcome, RunEvent, SentenceEvidence } from '../core/run';
import { isDoubtful } from '../core/run';

/** OpenAI's `url_citation`; offsets count Unicode code points of the message, end exclusive. */
export interface Annotation {
  type: 'url_citation';
  url_citation: { start_index: number; end_index: number; url: string; title: string };
  /** Ivy's own: how far the sentence is borne out by what it cites, 0..1; absent when that is not known. */
  support?: number;
  /** Ivy's own: true where Ivy found the source of a sentence that cites none; then it covers the sentence. */
  attributed?: true;
}

/** A checked sentence on the wire. */
interface WireSentence {
  text: string;
  cites: readonly number[];
  /** Cited by Ivy, not by the model. */
  attributed?: number;
  outcome: EvidenceOutcome;
  /** The outcome as clients of the first version read it: null where nothing speaks for or against. */
  supported: boolean | null;
  support: number | null;
  issues: SentenceEvidence['issues'];
  nearest?: SentenceEvidence['nearest'];
  second_look?: SentenceEvidence['secondLook'];
}

/** What the check of an answer adds to `ivy`. */
export interface WireChecked {
  evidence?: WireSentence[];
  /** Sentences that were not looked at. */
  unchecked?: number;
  conflicts?: readonly Conflict[];
}

type RetrievalEvent = Extract<RunEvent, { type: 'retrieval' }>;

/** Keeps a line under 64 KiB even when each character needs six bytes. */
const MAX_DOCUMENT_CHARS = 8_000;
const MAX_QUERY_CHARS = 300;
/** The list has to fit into one line, since clients take only one; names are nearly always ASCII. */
const MAX_ANNOTATION_CHARS = 40_000;
const ANNOTATION_FRAME = 110;
const MAX_EVIDENCE_BYTES = 40_000;
const MAX_SENTENCE_CHARS = 400;
const MAX_DOUBT_CHARS = 160;
/** Doubtful sentences that Open WebUI shows as lines of their own. */
const MAX_STATUSES = 3;

/** Writes one run's evidence in the form its client reads. The passages are the same for all forms. */
export class CitationWriter {
  private passages: ReadonlyMap<number, CitedPassage> = new Map();
  private readonly marks: { n: number; start: number; end: number; at: number }[] = [];
  private checked: Extract<RunEvent, { type: 'evidence' }> | undefined;
  private conflicts: readonly Conflict[] = [];
  private written = '';
  /** Code points of the text so far. */
  private length = 0;
  /** UTF-16 units of it. */
  private units = 0;

  constructor(
    private readonly style: CitationStyle,
    private readonly at: {
      /** Where browsers reach Ivy, for links. */
      publicUrl: string;
      requestId: string;
    },
  ) {}

  /** The passages of the run; answers Open WebUI's events for them, to be sent before the text. */
  retrieved(event: RetrievalEvent): object[] {
    this.passages = new Map(event.passages.map((passage) => [passage.n, passage]));
    if (this.style !== 'openwebui' || event.state === 'off') return [];
    return [
      {
        type: 'status',
        data: { action: 'knowledge_search', query: event.query.slice(0, MAX_QUERY_CHARS), done: false },
      },
      { type: 'status', data: { action: 'sources_retrieved', count: event.passages.length, done: true } },
      ...(event.missing
        ? [status(`Not in the documents: ${[...event.missing.identifiers, ...event.missing.words].join(', ')}`)]
        : []),
      ...(event.weak ? [status('The passages match the question only weakly')] : []),
      ...this.toOpenWebUiSources(event.passages),
    ];
  }

  /** What is to be said of a step of the run; answers Open WebUI's events for it. */
  step(step: Extract<RunEvent, { type: 'step' }>): object[] {
    if (this.style !== 'openwebui') return [];
    if (step.step === 'undelivered') return [status(step.reason)];
    if (step.step !== 'prompt') return [];
    const { passagesLeftOut: passages, messagesLeftOut: messages } = step.report;
    const parts = [passages > 0 && `${passages} passages`, messages > 0 && `${messages} earlier messages`].filter(
      Boolean,
    );
    return parts.length === 0 ? [] : [status(`Did not fit into the model’s context: ${parts.join(' and ')}`)];
  }

  /** Follows the text as it is written. */
  text({ text, cites }: Extract<RunEvent, { type: 'text-delta' }>): void {
    if (this.style !== 'annotations' && this.style !== 'footnotes') return;
    // In order, so each stretch is counted once.
    let start = this.length;
    let from = 0;
    for (const { n, at } of cites ?? []) {
      start += codePoints(text.slice(from, at));
      from = at;
      this.marks.push({ n, start, end: start + `[${n}]`.length, at: this.units + at });
    }
    this.length = start + codePoints(text.slice(from));
    this.units += text.length;
    if (this.style === 'annotations') this.written += text;
  }

  /** Passages that contradict each other; answers Open WebUI's events for it. */
  conflicting({ conflicts }: Extract<RunEvent, { type: 'conflicts' }>): object[] {
    this.conflicts = conflicts;
    return this.style === 'openwebui' ? conflicts.map((conflict) => status(toConflict(conflict))) : [];
  }

  /** What the check of the answer found; answers Open WebUI's events for it. */
  evidence(event: Extract<RunEvent, { type: 'evidence' }>): object[] {
    this.checked = event;
    if (this.style !== 'openwebui') return [];
    return [
      status(toSummary(event)),
      ...event.sentences
        .filter(isDoubtful)
        .slice(0, MAX_STATUSES)
        .map((sentence) => status(toDoubt(sentence))),
    ];
  }

  /** The check of the answer, as much of it as fits into a line, doubtful sentences first. */
  toWire(): WireChecked {
    if (this.style === 'none' || !this.checked) return {};
    const { sentences, unchecked } = this.checked;
    let room = MAX_EVIDENCE_BYTES;
    const fitting = new Set(
      sentences
        .toSorted((a, b) => Number(b.outcome === 'differs') - Number(a.outcome === 'differs'))
        .map(toWireSentence)
        .filter((sentence) => {
          room -= Buffer.byteLength(JSON.stringify(sentence));
          return room > 0;
        })
        .map(({ start }) => start),
    );
    const evidence = sentences
      .filter(({ start }) => fitting.has(start))
      .map((sentence) => {
        const { start: _start, ...wire } = toWireSentence(sentence);
        return wire;
      });
    const left = unchecked + sentences.length - evidence.length;
    return {
      evidence,
      ...(left > 0 && { unchecked: left }),
      ...(this.conflicts.length > 0 && { conflicts: this.conflicts }),
    };
  }

  /** One for each marker, once the text is complete. */
  annotations(): Annotation[] {
    if (this.style !== 'annotations') return [];
    const annotations: Annotation[] = [];
    const sentences = this.checked?.sentences ?? [];
    let room = MAX_ANNOTATION_CHARS;
    for (const { n, start, end, at } of this.marks) {
      const passage = this.passages.get(n);
      if (!passage) continue;
      const url = this.linkTo(passage);
      const title = nameOf(passage);
      room -= ANNOTATION_FRAME + url.length + title.length;
      if (room < 0) break;
      const support = sentences.find((sentence) => at >= sentence.start && at < sentence.end)?.support ?? null;
      annotations.push({
        type: 'url_citation',
        url_citation: { start_index: start, end_index: end, url, title },
        ...(support !== null && { support }),
      });
    }
    let from = 0;
    let at = 0;
    for (const { attributed, start, end, support } of sentences) {
      const passage = attributed === undefined ? undefined : this.passages.get(attributed);
      if (!passage) continue;
      const [url, title] = [this.linkTo(passage), nameOf(passage)];
      room -= ANNOTATION_FRAME + url.length + title.length;
      if (room < 0) break;
      from += codePoints(this.written.slice(at, start));
      at = start;
      const to = from + codePoints(this.written.slice(start, end));
      annotations.push({
        type: 'url_citation',
        url_citation: { start_index: from, end_index: to, url, title },
        ...(support !== null && { support }),
        attributed: true,
      });
    }
    return annotations;
  }

  /** Markdown to append to the text; empty unless the client asked for it. */
  footnotes(): string {
    if (this.style !== 'footnotes') return '';
    const sentences = this.checked?.sentences ?? [];
    const lists = [
      toList('Sources', this.linesOf(this.marks.map(({ n }) => n))),
      toList(
        'Found by Ivy for sentences that cite nothing',
        this.linesOf(sentences.flatMap(({ attributed }) => attributed ?? [])),
      ),
      toList(
        'Not borne out by the sources',
        sentences.filter(isDoubtful).map((sentence) => `- ${toDoubt(sentence)}`),
      ),
      toList(
        'The documents contradict each other',
        this.conflicts.map((conflict) => `- ${toConflict(conflict)}`),
      ),
    ];
    return lists.join('');
  }

  /** A line for each of these passages, in order. */
  private linesOf(numbers: readonly number[]): string[] {
    return [...new Set(numbers)]
      .sort((a, b) => a - b)
      .flatMap((n) => {
        const passage = this.passages.get(n);
        if (!passage) return [];
        const name = nameOf(passage).replace(/[[\]]/g, '');
        return [`- [${n}] [${name}](${this.linkTo(passage)}), score ${passage.score.toFixed(2)}`];
      });
  }

  private linkTo(passage: CitedPassage): string {
    const { publicUrl, requestId } = this.at;
    // A foreign agent's passage without a link of its own is shown as it was for this answer.
    if (passage.documentId === undefined) return passage.url ?? `${publicUrl}/view/run/${requestId}?n=${passage.n}`;
    const query = `page=${passage.page}&passage=${encodeURIComponent(passage.id)}`;
    return `${publicUrl}/view/${passage.documentId}?${query}`;
  }

  /**
   * Rules of Open WebUI 0.11 (Citations.svelte, ContentRenderer.svelte): its list goes by
   * `metadata.source`, its labels by name, so each number needs both unique; a source or name that
   * begins with http would make browsers ask Google for an icon; `page` counts from 0.
   */
  private toOpenWebUiSources(passages: readonly CitedPassage[]): object[] {
    const names = new Map<string, number>();
    const highest = Math.max(1, ...passages.map(({ score }) => Math.abs(score)));
    return passages.map((passage) => {
      const base = nameOf(passage).replace(/^http/i, ' http');
      const seen = (names.get(base) ?? 0) + 1;
      names.set(base, seen);
      const name = seen === 1 ? base : `${base} (${seen})`;
      const source = `kb:${passage.documentId ?? passage.source}#${passage.id}`;
      return {
        type: 'source',
        data: {
          source: { id: source, name, url: this.linkTo(passage) },
          document: [(passage.text ?? 'The text of this passage is not available.').slice(0, MAX_DOCUMENT_CHARS)],
          metadata: [
            { source, name, ...(Number.isInteger(passage.page) && passage.page > 0 && { page: passage.page - 1 }) },
          ],
          distances: [passage.score / highest],
        },
      };
    });
  }
}

const status = (description: string) => ({ type: 'status', data: { description, done: true } });

const toList = (title: string, lines: readonly string[]) =>
  lines.length === 0 ? '' : `\n\n**${title}**\n\n${lines.join('\n')}`;

function toWireSentence({
  text,
  start,
  cites,
  attributed,
  outcome,
  support,
  issues,
  nearest,
  secondLook,
}: SentenceEvidence) {
  return {
    start,
    text: text.slice(0, MAX_SENTENCE_CHARS),
    cites,
    ...(attributed !== undefined && { attributed }),
    outcome,
    supported: outcome === 'supported' ? true : outcome === 'differs' ? false : null,
    support,
    issues,
    ...(nearest && { nearest }),
    ...(secondLook && { second_look: secondLook }),
  };
}

/** `6 sentences checked: 4 supported, 1 differs from its source, 1 without a source. The answer cites nothing itself.` */
function toSummary({ sentences, unchecked, cited }: Extract<RunEvent, { type: 'evidence' }>): string {
  const own = cited ? '' : ' The model cited nothing; Ivy compared its sentences with all passages.';
  if (sentences.length === 0) return `No sentence of the answer could be checked.${own}`;
  const count = (outcome: EvidenceOutcome) => sentences.filter((sentence) => sentence.outcome === outcome).length;
  const parts = [
    [count('supported'), 'supported'],
    [count('differs'), count('differs') === 1 ? 'differs from its source' : 'differ from their sources'],
    [count('no_source'), 'without a source'],
    [count('unknown'), 'could not be compared'],
    [unchecked, 'not checked'],
  ] as const;
  const listed = parts.flatMap(([number, what]) => (number === 0 ? [] : `${number} ${what}`)).join(', ');
  return `${sentences.length} ${sentences.length === 1 ? 'sentence' : 'sentences'} checked: ${listed}.${own}`;
}

/** A sentence and what is wrong with it, in the source's words where there are any. */
function toDoubt({ text, issues, outcome }: SentenceEvidence): string {
  const reasons = issues.map(({ kind, detail, source }) =>
    source === undefined ? `${kind} ${detail} is in no source` : `${detail}: the source says ${source}`,
  );
  const why = reasons.length > 0 ? reasons.join('; ') : outcome === 'differs' ? 'differs from its source' : 'no source';
  return `“${text.slice(0, MAX_DOUBT_CHARS).trim()}” (${why})`;
}

function toConflict({ subject, first, second }: Conflict): string {
  return `The documents disagree on “${subject}”: ${first.value} [${first.n}], ${second.value} [${second.n}]`;
}

/** `ECSS-E-ST-32-08C.pdf · p. 45`: the page last, because long names are cut in the middle. */
function nameOf(passage: CitedPassage): string {
  return `${passage.source} · ${passage.pageKind === 'page' ? 'p.' : 'section'} ${passage.page}`;
}

/** Length in Unicode code points. */
export function codePoints(text: string): number {
  let count = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit >= 0xd800 && unit <= 0xdbff) count -= 1;
  }
  return count;
}

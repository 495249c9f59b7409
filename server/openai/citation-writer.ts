import type { CitedPassage } from '../core/knowledge';
import type { CitationStyle, RunEvent, SentenceEvidence } from '../core/run';

/** OpenAI's `url_citation`; offsets count Unicode code points of the message, end exclusive. */
export interface Annotation {
  type: 'url_citation';
  url_citation: { start_index: number; end_index: number; url: string; title: string };
  /** Ivy's own: how far the sentence is borne out by what it cites, 0..1; absent when that is not known. */
  support?: number;
}

/** A judged sentence on the wire. */
interface WireEvidence {
  text: string;
  cites: readonly number[];
  support: number | null;
  supported: boolean | null;
  issues: SentenceEvidence['issues'];
}

type RetrievalEvent = Extract<RunEvent, { type: 'retrieval' }>;

/** Keeps a line under 64 KiB even when each character needs six bytes. */
const MAX_DOCUMENT_CHARS = 8_000;
const MAX_QUERY_CHARS = 300;
/** The list has to fit into one line, since clients take only one; names are nearly always ASCII. */
const MAX_ANNOTATION_CHARS = 40_000;
const ANNOTATION_FRAME = 110;
const MAX_EVIDENCE_CHARS = 40_000;
const MAX_SENTENCE_CHARS = 400;

/** Writes one run's evidence in the form its client reads. The passages are the same for all forms. */
export class CitationWriter {
  private passages: ReadonlyMap<number, CitedPassage> = new Map();
  private readonly marks: { n: number; start: number; end: number; at: number }[] = [];
  private sentences: readonly SentenceEvidence[] = [];
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
    for (const { n, at } of cites ?? []) {
      const start = this.length + codePoints(text.slice(0, at));
      this.marks.push({ n, start, end: start + `[${n}]`.length, at: this.units + at });
    }
    this.length += codePoints(text);
    this.units += text.length;
  }

  /** What the check of the answer found; answers Open WebUI's events for it. */
  evidence({ sentences }: Extract<RunEvent, { type: 'evidence' }>): object[] {
    this.sentences = sentences;
    // Where the text of no source is known, nothing was checked.
    const judged = sentences.filter(({ supported }) => supported !== null);
    if (this.style !== 'openwebui' || judged.length === 0) return [];
    return [status(toSummary(judged))];
  }

  /** The judged sentences, as many as fit into a line, doubtful ones first; undefined when there are none. */
  toEvidence(): WireEvidence[] | undefined {
    if (this.style === 'none' || this.sentences.length === 0) return undefined;
    let room = MAX_EVIDENCE_CHARS;
    const fitting = this.sentences
      .toSorted((a, b) => Number(a.supported ?? true) - Number(b.supported ?? true))
      .filter((sentence) => {
        room -= 120 + Math.min(sentence.text.length, MAX_SENTENCE_CHARS) + JSON.stringify(sentence.issues).length;
        return room > 0;
      });
    return this.sentences
      .filter((sentence) => fitting.includes(sentence))
      .map(({ text, cites, support, supported, issues }) => ({
        text: text.slice(0, MAX_SENTENCE_CHARS),
        cites,
        support,
        supported,
        issues,
      }));
  }

  /** One for each marker, once the text is complete. */
  annotations(): Annotation[] {
    if (this.style !== 'annotations') return [];
    const annotations: Annotation[] = [];
    let room = MAX_ANNOTATION_CHARS;
    for (const { n, start, end, at } of this.marks) {
      const passage = this.passages.get(n);
      if (!passage) continue;
      const url = this.linkTo(passage);
      const title = nameOf(passage);
      room -= ANNOTATION_FRAME + url.length + title.length;
      if (room < 0) break;
      const support = this.sentences.find((sentence) => at >= sentence.start && at < sentence.end)?.support ?? null;
      annotations.push({
        type: 'url_citation',
        url_citation: { start_index: start, end_index: end, url, title },
        ...(support !== null && { support }),
      });
    }
    return annotations;
  }

  /** Markdown to append to the text; empty unless the client asked for it. */
  footnotes(): string {
    if (this.style !== 'footnotes') return '';
    const cited = [...new Set(this.marks.map(({ n }) => n))].sort((a, b) => a - b);
    const lines = cited.flatMap((n) => {
      const passage = this.passages.get(n);
      if (!passage) return [];
      const name = nameOf(passage).replace(/[[\]]/g, '');
      return [`- [${n}] [${name}](${this.linkTo(passage)}), score ${passage.score.toFixed(2)}`];
    });
    const doubtful = this.sentences
      .filter(({ supported }) => supported === false)
      .map(({ text, issues }) => `- “${text.slice(0, MAX_SENTENCE_CHARS)}”${toReason(issues)}`);
    const doubts = doubtful.length === 0 ? '' : `\n\n**Not supported by its source**\n\n${doubtful.join('\n')}`;
    return lines.length === 0 ? '' : `\n\n**Sources**\n\n${lines.join('\n')}${doubts}`;
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

/** `6 cited sentences checked, 1 is not supported by its source`. */
function toSummary(sentences: readonly SentenceEvidence[]): string {
  const doubtful = sentences.filter(({ supported }) => supported === false).length;
  const checked = `${sentences.length} cited ${sentences.length === 1 ? 'sentence' : 'sentences'} checked`;
  if (doubtful === 0) return `${checked} against the sources`;
  return `${checked}, ${doubtful} ${doubtful === 1 ? 'is' : 'are'} not supported by the sources`;
}

function toReason(issues: SentenceEvidence['issues']): string {
  return issues.length === 0 ? '' : ` (${issues.map(({ kind, detail }) => `${kind}: ${detail}`).join('; ')})`;
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

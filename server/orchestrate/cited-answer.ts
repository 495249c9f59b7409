import type { Usage } from '../core/chat';
import type { CitedPassage } from '../core/knowledge';
import type { Citation, RunEvent, SentenceEvidence } from '../core/run';
import { log } from '../lib/log';
import { splitSentences } from '../text/sentences';
import { CitationFilter } from './citations';
import { findConflicts } from './evidence/conflicts';
import { createPause, judgeSentences, prepareAnswer } from './evidence/judge';
import type { CalledEvent } from './model-call';

export interface CitedAnswer {
  /** Those that the model was given. */
  passages: readonly CitedPassage[];
  /** Number of the first of them; the ones before are the client's own. */
  first: number;
  /** False where the provider cites by itself: then no text of it is a marker. */
  markers: boolean;
  /** False where Ivy itself wrote what cites nothing. */
  everySentence: boolean;
  /** Another opinion on what rules found; undefined when none is wanted. */
  lookAgain?(
    sentences: readonly SentenceEvidence[],
  ): Promise<{ sentences: SentenceEvidence[]; usage: Usage | undefined }>;
  /** To be told of the markers of the whole answer. */
  issued(text: string, citations: readonly Citation[]): void;
}

/** Finds the markers that the model writes, writes those of providers that cite natively, and checks the whole answer. */
export async function* withCitations(
  upstream: AsyncIterable<readonly CalledEvent[]>,
  answer: CitedAnswer,
): AsyncIterable<readonly RunEvent[]> {
  const text = new CitedText(answer);
  try {
    for await (const events of upstream) {
      const batch: RunEvent[] = [];
      for (const event of events) {
        switch (event.type) {
          case 'text-delta':
            text.push(event.text, batch);
            break;
          case 'citation':
            text.cite(event.passages, batch);
            break;
          case 'tool-call':
            text.end(batch);
            batch.push(event);
            break;
          case 'finish':
            text.end(batch);
            // The reader has the whole text while it is checked.
            if (batch.length > 0) yield batch.splice(0);
            batch.push(...(await checkSafely(text, answer)), event);
            break;
          case 'step':
          case 'reasoning-delta':
          case 'logprobs':
          case 'usage':
            batch.push(event);
            break;
          default:
            event satisfies never;
        }
      }
      if (batch.length > 0) yield batch;
    }
  } catch (error) {
    // What was held back for a possible marker belongs to what was written so far.
    const rest: RunEvent[] = [];
    text.end(rest);
    if (rest.length > 0) yield rest;
    throw error;
  } finally {
    answer.issued(text.whole, text.citations);
  }
}

/** The text as it is handed out, with its citations. */
class CitedText {
  whole = '';
  readonly citations: Citation[] = [];
  private readonly filter: CitationFilter;

  constructor({ passages, first, markers }: CitedAnswer) {
    const given = new Set(markers ? passages.map(({ n }) => n) : []);
    this.filter = new CitationFilter(given, new Set(Array.from({ length: first - 1 }, (_, index) => index + 1)));
  }

  push(text: string, into: RunEvent[]): void {
    this.write(this.filter.push(text), this.filter.cites, into);
  }

  end(into: RunEvent[]): void {
    this.write(this.filter.end(), this.filter.cites, into);
  }

  /** Markers of our own, behind what was written last. */
  cite(passages: readonly number[], into: RunEvent[]): void {
    this.end(into);
    const first = this.whole === '' || /\s$/.test(this.whole.slice(-1));
    const cites: Citation[] = [];
    let markers = first ? '' : ' ';
    for (const n of passages) {
      cites.push({ n, at: markers.length });
      markers += `[${n}]`;
    }
    this.write(first ? `${markers} ` : markers, cites, into);
  }

  private write(text: string, cites: readonly Citation[], into: RunEvent[]): void {
    if (text === '') return;
    for (const { n, at } of cites) this.citations.push({ n, at: this.whole.length + at });
    this.whole += text;
    into.push(cites.length > 0 ? { type: 'text-delta', text, cites } : { type: 'text-delta', text });
  }
}

/** A check that fails costs its findings, never the answer; that nothing was checked is said. */
async function checkSafely(text: CitedText, answer: CitedAnswer): Promise<RunEvent[]> {
  try {
    return await check(text, answer);
  } catch (error) {
    log.error({ err: error }, 'an answer could not be checked');
    const unchecked = splitSentences(text.whole).length;
    return [{ type: 'evidence', sentences: [], unchecked, cited: text.citations.length > 0 }];
  }
}

/** What there is to say of the whole answer. */
async function check(text: CitedText, answer: CitedAnswer): Promise<RunEvent[]> {
  const { passages, everySentence } = answer;
  if (passages.length === 0) return [];
  const prepared = prepareAnswer(text.whole, passages);
  const events: RunEvent[] = [];
  // Each passage is taken apart in a turn of its own.
  const pause = createPause();
  for (const { n } of passages) {
    prepared.sourceOf(n);
    await pause();
  }
  const conflicts = findConflicts(passages, prepared.sourceOf);
  if (conflicts.length > 0) events.push({ type: 'conflicts', conflicts });
  const judged = await judgeSentences(prepared, text.citations, { everySentence });
  const looked = judged.sentences.length > 0 ? await answer.lookAgain?.(judged.sentences) : undefined;
  if (looked?.usage) events.push({ type: 'usage', call: 'second-look', usage: looked.usage });
  if (text.whole.trim() !== '') {
    const sentences = looked?.sentences ?? judged.sentences;
    events.push({ type: 'evidence', sentences, unchecked: judged.unchecked, cited: text.citations.length > 0 });
  }
  return events;
}

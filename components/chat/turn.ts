import type { CitedPassage, Missing, RetrievalState } from '@/server/core/knowledge';
import type { RunEvent, SentenceEvidence } from '@/server/core/run';
import { createKey } from '../ui/create-key';
import type { Mark } from '../ui/remark-marks';

/** What the run registry sends: the events of a run and how it ended. */
export type RunEntry =
  | RunEvent
  | { type: 'end'; outcome: 'done' | 'stopped' | 'failed'; error?: { code: string; message: string } | undefined };

/** One question and what is known of its answer. */
export interface Turn {
  /** Made by the page; the server answers the same key with the same run. */
  key: string;
  question: string;
  model: string;
  retrieval: boolean;
  runId: string | null;
  phase: 'starting' | 'searching' | 'waiting' | 'writing' | 'ended';
  query: string | null;
  /** What was searched for instead of the question, which leant on the conversation. */
  rewritten: string | null;
  /** What the reader wants to be searched for instead. */
  wanted: string | null;
  state: RetrievalState | null;
  reason: string | null;
  missing: Missing | null;
  /** The passages share little with the question. */
  weak: boolean;
  /** Why the model has not read the passages. */
  undelivered: string | null;
  passages: readonly CitedPassage[];
  /** Cited sentences with their support, once the answer is complete. */
  sentences: readonly SentenceEvidence[];
  /** `ollama · llama3.1:8b` */
  answeredBy: string | null;
  leftOut: { passages: number; messages: number };
  reasoning: string;
  text: string;
  tokens: number | null;
  cutOff: boolean;
  outcome: 'done' | 'stopped' | 'failed' | null;
  error: string | null;
}

export function createTurn(question: string, model: string, retrieval: boolean, wanted: string | null = null): Turn {
  return {
    key: createKey(),
    question,
    model,
    retrieval,
    runId: null,
    phase: 'starting',
    query: null,
    rewritten: null,
    wanted,
    state: null,
    reason: null,
    missing: null,
    weak: false,
    undelivered: null,
    passages: [],
    sentences: [],
    answeredBy: null,
    leftOut: { passages: 0, messages: 0 },
    reasoning: '',
    text: '',
    tokens: null,
    cutOff: false,
    outcome: null,
    error: null,
  };
}

/** The turn after these entries of its run. */
export function applyEntries(turn: Turn, entries: readonly RunEntry[]): Turn {
  return entries.reduce(applyEntry, turn);
}

function applyEntry(turn: Turn, entry: RunEntry): Turn {
  switch (entry.type) {
    case 'step':
      return applyStep(turn, entry);
    case 'retrieval':
      return {
        ...turn,
        phase: 'waiting',
        query: entry.query,
        state: entry.state,
        reason: entry.reason ?? null,
        missing: entry.missing ?? null,
        weak: entry.weak ?? false,
        passages: entry.passages,
      };
    case 'reasoning-delta':
      return { ...turn, phase: 'writing', reasoning: turn.reasoning + entry.text };
    case 'text-delta':
      return { ...turn, phase: 'writing', text: turn.text + entry.text };
    case 'usage':
      return { ...turn, tokens: entry.usage.promptTokens + entry.usage.completionTokens };
    case 'evidence':
      return { ...turn, sentences: entry.sentences };
    case 'finish':
      return { ...turn, cutOff: entry.reason === 'length' };
    case 'tool-call':
    case 'logprobs':
      return turn;
    case 'end':
      return { ...turn, phase: 'ended', outcome: entry.outcome, error: entry.error?.message ?? null };
    default:
      return entry satisfies never;
  }
}

function applyStep(turn: Turn, step: Extract<RunEvent, { type: 'step' }>): Turn {
  switch (step.step) {
    case 'gate':
      return turn;
    case 'rewrite':
      return { ...turn, rewritten: step.query };
    case 'search':
      return { ...turn, phase: 'searching', query: step.query };
    case 'prompt':
      return { ...turn, leftOut: { passages: step.report.passagesLeftOut, messages: step.report.messagesLeftOut } };
    case 'undelivered':
      return { ...turn, undelivered: step.reason };
    case 'model':
      return {
        ...turn,
        phase: 'waiting',
        answeredBy: step.provider === step.model ? step.provider : `${step.provider} · ${step.model}`,
      };
    default:
      return step satisfies never;
  }
}

/** Numbers of the passages that the text cites. */
export function citedNumbers(text: string): ReadonlySet<number> {
  return new Set([...text.matchAll(/\[(\d{1,3})\]/g)].map((match) => Number(match[1])));
}

/** `p. 45`, or the heading for formats without pages. */
export function placeOf(passage: CitedPassage): string {
  return passage.pageKind === 'page' ? `p. ${passage.page}` : `section ${passage.page}`;
}

/** Marks for the sentences that their sources do not bear out. */
export function toMarks(sentences: readonly SentenceEvidence[]): Mark[] {
  return sentences
    .filter(({ supported }) => supported === false)
    .map((sentence) => ({
      start: sentence.start,
      end: sentence.end,
      className: 'unsupported',
      title: toReason(sentence),
    }));
}

/** Why a sentence counts as not supported. */
export function toReason({ issues, support, cites }: SentenceEvidence): string {
  const source = cites.map((n) => `[${n}]`).join('');
  if (issues.length === 0) return `Only ${Math.round((support ?? 0) * 100)} % of its words stand in ${source}.`;
  return issues
    .map(({ kind, detail }) => {
      switch (kind) {
        case 'number':
          return `${detail} does not stand in ${source}.`;
        case 'identifier':
          return `${detail} does not stand in ${source}.`;
        case 'force':
          return `It says ${detail}.`;
        case 'negation':
          return `It is ${detail}.`;
        default:
          return kind satisfies never;
      }
    })
    .join(' ');
}

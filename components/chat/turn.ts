import type { CitedPassage, Missing, RetrievalState } from '@/server/core/knowledge';
import type { Citation, Conflict, EvidenceIssue, RunEvent, SentenceEvidence } from '@/server/core/run';
import type { ModelCallName } from '@/server/core/usage';
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
  /** The markers of the text, by their places in it. */
  citations: readonly Citation[];
  /** How each sentence stands to its sources, once the answer is complete. */
  sentences: readonly SentenceEvidence[];
  /** Sentences that came after as many as are looked at. */
  unchecked: number;
  conflicts: readonly Conflict[];
  /** `ollama · llama3.1:8b` */
  answeredBy: string | null;
  leftOut: { passages: number; messages: number };
  reasoning: string;
  text: string;
  /** Tokens of each model call of the run. */
  tokens: Readonly<Partial<Record<ModelCallName, number>>>;
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
    citations: [],
    sentences: [],
    unchecked: 0,
    conflicts: [],
    answeredBy: null,
    leftOut: { passages: 0, messages: 0 },
    reasoning: '',
    text: '',
    tokens: {},
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
      return { ...turn, phase: 'writing', text: turn.text + entry.text, citations: withCitations(turn, entry.cites) };
    case 'usage':
      return {
        ...turn,
        tokens: { ...turn.tokens, [entry.call ?? 'answer']: entry.usage.promptTokens + entry.usage.completionTokens },
      };
    case 'conflicts':
      return { ...turn, conflicts: entry.conflicts };
    case 'evidence':
      return { ...turn, sentences: entry.sentences, unchecked: entry.unchecked };
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

function withCitations({ text, citations }: Turn, cites: readonly Citation[] | undefined): readonly Citation[] {
  return cites ? [...citations, ...cites.map(({ n, at }) => ({ n, at: text.length + at }))] : citations;
}

/** Numbers of the passages that the answer rests on: those that it cites, and those that Ivy found for its sentences. */
export function citedNumbers({ citations, sentences }: Pick<Turn, 'citations' | 'sentences'>): ReadonlySet<number> {
  return new Set([...citations.map(({ n }) => n), ...sentences.flatMap(({ attributed }) => attributed ?? [])]);
}

/** `p. 45`, or the heading for formats without pages. */
export function placeOf(passage: CitedPassage): string {
  return passage.pageKind === 'page' ? `p. ${passage.page}` : `section ${passage.page}`;
}

/** Marks for the sentences that their sources do not bear out. */
export function toMarks(sentences: readonly SentenceEvidence[]): Mark[] {
  return sentences.filter(isDoubtful).map((sentence) => ({
    start: sentence.start,
    end: sentence.end,
    className: sentence.outcome === 'differs' ? 'differs' : 'no-source',
    title: toReason(sentence),
  }));
}

export const isDoubtful = ({ outcome }: SentenceEvidence) => outcome === 'differs' || outcome === 'no_source';

/** What the check of a sentence found, in the source's words where there are any. */
export function toReason({ issues, cites, outcome }: SentenceEvidence): string {
  const source = cites.length > 0 ? cites.map((n) => `[${n}]`).join('') : 'any passage';
  if (issues.length > 0) return issues.map((issue) => toIssue(issue, source)).join(' ');
  if (outcome === 'no_source')
    return cites.length > 0 ? `${source} says nothing of this.` : 'It cites nothing, and no passage bears it out.';
  return outcome === 'unknown' ? 'It could not be compared with its source.' : '';
}

function toIssue({ kind, detail, source: said }: EvidenceIssue, source: string): string {
  switch (kind) {
    case 'number':
    case 'unit':
    case 'identifier':
      return said === undefined
        ? `${detail} does not stand in ${source}.`
        : `It says ${detail}, the source says ${said}.`;
    case 'force':
    case 'limit':
      return `It says “${detail}”, the source says “${said}”.`;
    case 'negation':
      return detail === 'denied' ? `The source does not deny this: “${said}”` : `The source denies this: “${said}”`;
    default:
      return kind satisfies never;
  }
}

/** One line about the check: `6 sentences checked: 4 supported, 1 differs from its source, 1 without a source.` */
export function toSummary({ sentences, unchecked, citations, passages }: Turn): string {
  const count = (outcome: SentenceEvidence['outcome']) =>
    sentences.filter((sentence) => sentence.outcome === outcome).length;
  const differ = count('differs');
  const parts: [number, string][] = [
    [count('supported'), 'supported'],
    [differ, differ === 1 ? 'differs from its source' : 'differ from their sources'],
    [count('no_source'), 'without a source'],
    [count('unknown'), 'could not be compared'],
    [unchecked, 'not checked'],
  ];
  const listed = parts.flatMap(([number, what]) => (number === 0 ? [] : `${number} ${what}`)).join(', ');
  const own = citations.length === 0 && passages.length > 0 ? ' The model cited nothing itself.' : '';
  return `${sentences.length} ${sentences.length === 1 ? 'sentence' : 'sentences'} checked: ${listed}.${own}`;
}

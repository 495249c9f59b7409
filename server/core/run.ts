/** One question from arrival to the last event of its answer. */

import type { ChatMessage, GenerationOptions, ModelEvent, OptionName, Usage } from './chat';
import type { Candidate, CitedPassage, Missing, RetrievalState } from './knowledge';
import type { ModelCallName } from './usage';

/** How a client gets the evidence beside the `[n]` in the text. */
export const CITATION_STYLES = ['annotations', 'openwebui', 'footnotes', 'none'] as const;
export type CitationStyle = (typeof CITATION_STYLES)[number];

/** Who asks. `local` is the person at this machine when no sign-in is required. */
export interface Principal {
  id: string;
  kind: 'local' | 'key' | 'session';
  role: 'admin' | 'member';
  name: string;
  /** What the key is set to; undefined leaves it to the client's kind. */
  citations?: CitationStyle;
  /** The end user that a trusted client speaks for. */
  user?: string;
  /** Collections that it may see; all when undefined. */
  collections?: readonly string[];
}

/** True when a principal may see what is in a collection. */
export function maySee({ collections }: Principal, collection: string): boolean {
  return collections === undefined || collections.includes(collection);
}

/** Where a principal's search may look: what it asks for, as far as it may see it. Undefined is everywhere. */
export function searchable(principal: Principal, wanted: readonly string[] | undefined): readonly string[] | undefined {
  return wanted?.filter((collection) => maySee(principal, collection)) ?? principal.collections;
}

/** What the caller may change about retrieval for one request. */
export interface RagOptions {
  enabled?: boolean;
  /** Searched for instead of the question. */
  query?: string;
  topK?: number;
  minScore?: number;
  collections?: readonly string[];
}

/** Retrieval settings in force for a run, frozen when it starts. */
export interface RetrievalSettings {
  /** Passages for the model; undefined lets the question and the model decide. */
  topK: number | undefined;
  /** Where passages stand in the prompt of a model that reads them there. */
  place: 'user' | 'system';
  minScore: number | undefined;
  /** True when a failed retrieval must fail the answer. */
  required: boolean;
  /** Which models may be asked for a second look at an answer's sentences. */
  secondLook: 'off' | 'local' | 'any';
}

/** What the client asked for, decoded from whichever transport it used. */
export interface RunRequest {
  /** Model id as the client wrote it; echoed in every reply. */
  model: string;
  messages: readonly ChatMessage[];
  options: GenerationOptions;
  rag: RagOptions;
  /** Number of the first passage; above 1 when the client has sources of its own in the prompt. */
  firstCitation?: number;
  /** A chore of the client (a title, tags, …), not a question: answered without retrieval. */
  task?: string;
  user?: string;
}

export interface RunContext {
  runId: string;
  principal: Principal;
}

/** A pruned prompt is always reported, never silent. */
export interface PromptReport {
  promptTokensEstimate: number;
  contextLength?: number;
  passagesLeftOut: number;
  messagesLeftOut: number;
}

/** A checked citation: `[n]` stands at this position (in UTF-16 units) of the piece of text it belongs to. */
export interface Citation {
  n: number;
  at: number;
}

/** How a sentence stands to what it rests on. */
export const EVIDENCE_OUTCOMES = [
  /** A passage says it. */
  'supported',
  /** A passage says something else of the same thing. */
  'differs',
  /** It cites nothing, or what it cites says nothing of it, and no passage bears it out. */
  'no_source',
  /** Nothing could be compared: another language, other words, a passage without text. */
  'unknown',
] as const;
export type EvidenceOutcome = (typeof EVIDENCE_OUTCOMES)[number];

/** What a sentence claims that its sources do not bear out. */
export interface EvidenceIssue {
  kind: 'number' | 'unit' | 'identifier' | 'force' | 'negation' | 'limit';
  /** What the sentence says. */
  detail: string;
  /** What the source says instead, in its own words; absent where it says nothing of the kind. */
  source?: string;
}

/** What a model was asked about a sentence and its source, and answered: its word, not Ivy's. */
export interface SecondLook {
  verdict: 'yes' | 'no' | 'not said';
  model: string;
}

/** How far a sentence of an answer is borne out by passages; offsets are UTF-16 units of the whole text. */
export interface SentenceEvidence {
  text: string;
  start: number;
  end: number;
  /** The passages that the sentence itself cites. */
  cites: readonly number[];
  /** A passage that Ivy found to bear it out although the sentence does not cite it. */
  attributed?: number;
  outcome: EvidenceOutcome;
  /** Share of what it says that stands in its nearest source, 0..1; null when that cannot be told. */
  support: number | null;
  issues: readonly EvidenceIssue[];
  /** The sentence of the source that comes nearest, in its own words. */
  nearest?: { n: number; text: string };
  secondLook?: SecondLook;
}

/** True for a sentence that a reader has to check: a source says otherwise, or none says it. */
export const isDoubtful = ({ outcome }: Pick<SentenceEvidence, 'outcome'>): boolean =>
  outcome === 'differs' || outcome === 'no_source';

/** Two passages that say different things of the same. */
export interface Conflict {
  /** What both speak of: an identifier, or the first one's words with `…` for the value. */
  subject: string;
  first: ConflictSide;
  second: ConflictSide;
}

export interface ConflictSide {
  n: number;
  /** What it says, as it is written there. */
  value: string;
  text: string;
}

export type RunEvent =
  | { type: 'step'; step: 'gate'; retrieve: boolean; reason: string }
  /** A follow-up was turned into a question that stands alone. */
  | { type: 'step'; step: 'rewrite'; question: string; query: string; by: 'model' | 'words' }
  | { type: 'step'; step: 'search'; query: string }
  | { type: 'step'; step: 'prompt'; report: PromptReport }
  /** The provider counted far fewer tokens than the prompt has: the model has not read the passages. */
  | { type: 'step'; step: 'undelivered'; model: string; reason: string }
  | { type: 'step'; step: 'model'; provider: string; model: string; ignored: readonly OptionName[] }
  | {
      type: 'retrieval';
      state: RetrievalState;
      reason?: string;
      query: string;
      passages: readonly CitedPassage[];
      missing?: Missing;
      weak?: boolean;
      /** All that was scored, best first. */
      candidates: readonly Candidate[];
      timings: Readonly<Record<string, number>>;
      durationMs: number;
    }
  | { type: 'text-delta'; text: string; cites?: readonly Citation[] }
  /** Passages that were given to the model contradict each other. */
  | { type: 'conflicts'; conflicts: readonly Conflict[] }
  /** Once, when the text is complete. `unchecked` sentences came after as many as are looked at; `cited` tells whether the model itself cited anything. */
  | { type: 'evidence'; sentences: readonly SentenceEvidence[]; unchecked: number; cited: boolean }
  | { type: 'usage'; usage: Usage; call?: ModelCallName }
  | Exclude<ModelEvent, { type: 'citation' | 'text-delta' | 'usage' }>;

/** Turns a request into events; failures are thrown. */
export type Orchestrator = (
  request: RunRequest,
  context: RunContext,
  signal: AbortSignal,
) => AsyncIterable<readonly RunEvent[]>;

/** The request in the name of the end user that a trusted client speaks for, whatever its body says. */
export function withUser(request: RunRequest, { user }: Principal): RunRequest {
  return user === undefined ? request : { ...request, user };
}

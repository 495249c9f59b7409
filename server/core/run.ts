/** One question from arrival to the last event of its answer. */

import type { ChatMessage, GenerationOptions, ModelEvent, OptionName, Usage } from './chat';
import type { Candidate, CitedPassage, Missing, RetrievalState } from './knowledge';

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

/** What a sentence claims that its sources do not bear out. */
export interface EvidenceIssue {
  kind: 'number' | 'identifier' | 'force' | 'negation';
  /** The number or identifier that is not there, or how the sources differ. */
  detail: string;
}

/** How far a cited sentence is borne out by the passages it cites; offsets are UTF-16 units of the whole text. */
export interface SentenceEvidence {
  text: string;
  start: number;
  end: number;
  cites: readonly number[];
  /** 0..1; null when the text of its sources is not known. */
  support: number | null;
  supported: boolean | null;
  issues: readonly EvidenceIssue[];
}

export type RunEvent =
  | { type: 'step'; step: 'gate'; retrieve: boolean; reason: string }
  /** A follow-up was turned into a question that stands alone. */
  | { type: 'step'; step: 'rewrite'; question: string; query: string; by: 'model' | 'words'; usage?: Usage }
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
  /** Once, when the text is complete. */
  | { type: 'evidence'; sentences: readonly SentenceEvidence[] }
  | Exclude<ModelEvent, { type: 'citation' | 'text-delta' }>;

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

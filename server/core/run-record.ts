import type { Usage } from './chat';
import type { Candidate, CitedPassage, Missing, RetrievalState } from './knowledge';
import type { Conflict, PromptReport, SentenceEvidence } from './run';

/** Everything about one question that was answered, to be looked at afterwards. */
export interface RunRecord {
  /** The request id: what `x-request-id` said. */
  id: string;
  /** Milliseconds since 1970. */
  at: number;
  caller: string;
  user: string | null;
  /** As the client wrote it. */
  model: string;
  /** Names the configuration that was in force; the same name means the same settings. */
  configuration: string;
  question: string;
  gate: { retrieve: boolean; reason: string } | null;
  rewritten: { query: string; by: 'model' | 'words' } | null;
  retrieval: {
    state: RetrievalState;
    reason: string | null;
    query: string;
    missing: Missing | null;
    weak: boolean;
    /** Without their texts. */
    passages: readonly Omit<CitedPassage, 'text'>[];
    candidates: readonly Candidate[];
    timings: Readonly<Record<string, number>>;
    durationMs: number;
  } | null;
  prompt: PromptReport | null;
  /** Why the model has not read the passages; null when nothing says so. */
  undelivered: string | null;
  answeredBy: { provider: string; model: string } | null;
  answer: string;
  evidence: readonly SentenceEvidence[];
  conflicts: readonly Conflict[];
  usage: Usage | null;
  firstTokenMs: number | null;
  totalMs: number;
  /** `stop`, `length`, …; null when the answer did not come to its end. */
  finish: string | null;
  /** Code of the failure; `stopped` when the caller left. */
  error: string | null;
}

/** A record in a list. */
export type RunSummary = Pick<RunRecord, 'id' | 'at' | 'caller' | 'model' | 'question' | 'totalMs' | 'error'> & {
  state: RetrievalState | null;
  doubtful: number;
};

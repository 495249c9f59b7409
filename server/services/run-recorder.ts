import { isAbort, toAppError } from '../core/errors';
import type { Principal, RunEvent, RunRequest } from '../core/run';
import type { RunRecord } from '../core/run-record';
import { UsageTally } from '../core/usage';
import { toQuery } from '../orchestrate/gate';

const MAX_QUESTION_CHARS = 8_000;
const MAX_ANSWER_CHARS = 200_000;

/** Writes down one answer while it passes. */
export class RunRecorder {
  private readonly started = performance.now();
  private readonly record: RunRecord;
  private readonly usage = new UsageTally();

  constructor(request: RunRequest, context: { runId: string; principal: Principal }, configuration: string) {
    this.record = {
      id: context.runId,
      at: Date.now(),
      caller: context.principal.name,
      user: request.user ?? null,
      model: request.model,
      configuration,
      question: toQuery(request.messages).slice(0, MAX_QUESTION_CHARS),
      gate: null,
      rewritten: null,
      retrieval: null,
      prompt: null,
      undelivered: null,
      answeredBy: null,
      answer: '',
      evidence: [],
      conflicts: [],
      usage: null,
      firstTokenMs: null,
      totalMs: 0,
      finish: null,
      error: null,
    };
  }

  see(events: readonly RunEvent[]): void {
    for (const event of events) this.note(event);
  }

  /** What happened instead of the end. */
  fail(error: unknown): void {
    this.record.error = isAbort(error) ? 'stopped' : toAppError(error).code;
  }

  /** The whole record, once the answer is over. */
  end(): RunRecord {
    const { record } = this;
    record.totalMs = performance.now() - this.started;
    if (record.finish === null) record.error ??= 'stopped';
    return record;
  }

  private note(event: RunEvent): void {
    const { record } = this;
    switch (event.type) {
      case 'step':
        this.noteStep(event);
        break;
      case 'retrieval': {
        const { state, reason = null, query, missing = null, weak = false, candidates, timings, durationMs } = event;
        const passages = event.passages.map(({ text: _text, boxes: _boxes, ...passage }) => passage);
        record.retrieval = { state, reason, query, missing, weak, passages, candidates, timings, durationMs };
        break;
      }
      case 'text-delta':
      case 'reasoning-delta':
        record.firstTokenMs ??= performance.now() - this.started;
        if (event.type === 'text-delta' && record.answer.length < MAX_ANSWER_CHARS) record.answer += event.text;
        break;
      case 'evidence':
        record.evidence = event.sentences;
        break;
      case 'conflicts':
        record.conflicts = event.conflicts;
        break;
      case 'usage':
        this.usage.see(event.usage, event.call);
        record.usage = this.usage.total ?? null;
        break;
      case 'finish':
        record.finish = event.reason;
        break;
      case 'tool-call':
      case 'logprobs':
        break;
      default:
        event satisfies never;
    }
  }

  private noteStep(step: Extract<RunEvent, { type: 'step' }>): void {
    const { record } = this;
    switch (step.step) {
      case 'gate':
        record.gate = { retrieve: step.retrieve, reason: step.reason };
        break;
      case 'rewrite':
        record.rewritten = { query: step.query, by: step.by };
        break;
      case 'prompt':
        record.prompt = step.report;
        break;
      case 'model':
        record.answeredBy = { provider: step.provider, model: step.model };
        break;
      case 'undelivered':
        record.undelivered = step.reason;
        break;
      case 'search':
        break;
      default:
        step satisfies never;
    }
  }
}

import { AppError } from '../core/errors';
import type { Principal, RunEvent, RunRequest } from '../core/run';
import { sleep } from '../lib/async';
import { observed, thenDelegate } from '../lib/iterate';
import { log } from '../lib/log';
import type { RunRepository } from '../store/runs';
import type { UsageRepository } from '../store/usage';
import type { PromptWatch } from './prompt-watch';
import { RunLimits } from './run-limits';
import { RunRecorder } from './run-recorder';
import type { Snapshot } from './snapshot';
import { canWait, TaskQueue } from './task-queue';
import { UsageMeter } from './usage-meter';

const DRAIN_MS = 30_000;
const FLUSH_MS = 200;
const MAX_USER_CHARS = 200;

export interface AnswersOptions {
  usage: UsageRepository;
  runRecords: RunRepository;
  prompts: PromptWatch;
  /** The one of this moment; an answer keeps the one it started with. */
  snapshot(): Snapshot;
}

/** Answers under way: within their limits and turns, metered and recorded. */
export class Answers {
  private readonly active = new Map<AbortController, Principal>();
  private readonly tasks = new TaskQueue();
  private readonly limits = new RunLimits();
  private draining = false;

  constructor(private readonly options: AnswersOptions) {}

  /** Runs one request with the configuration of this moment. Failures are thrown while iterating. */
  start(
    request: RunRequest,
    context: { runId: string; principal: Principal },
    signal: AbortSignal,
  ): AsyncIterableIterator<readonly RunEvent[]> {
    const controller = new AbortController();
    const combined = AbortSignal.any([signal, controller.signal]);
    const snapshot = this.options.snapshot();
    const held: (() => void)[] = [];
    let over = false;
    // A caller may leave while this answer still waits for its turn: what it gets then is given back at once.
    const hold = (release: () => void) => {
      if (over) release();
      else held.push(release);
    };
    const start = async () => {
      if (this.draining) throw new AppError('server_shutdown', 'Ivy is shutting down.');
      hold(this.limits.enter(context.principal));
      this.active.set(controller, context.principal);
      hold(() => this.active.delete(controller));
      if (snapshot.isLocal(request)) {
        hold(request.task && canWait(request.task) ? await this.tasks.task(combined) : this.tasks.question());
      }
      return (await snapshot.orchestratorFor(request))(request, context, combined);
    };
    // biome-ignore lint/correctness/useYield: it only opens what comes after it
    const opening = (async function* () {
      return await start();
    })();
    const meter = new UsageMeter();
    const watch = this.options.prompts.watcher();
    hold(() => this.noteUsage(request.model, context.principal, meter));
    const recorder = this.recorderFor(request, context, snapshot);
    if (recorder) hold(() => this.keepRecord(recorder));
    return observed(thenDelegate<readonly RunEvent[]>(opening), {
      onValue: (events) => {
        meter.see(events);
        watch(events);
        recorder?.see(events);
      },
      mapError: (error) => {
        const failure = controller.signal.aborted ? controller.signal.reason : error;
        recorder?.fail(failure);
        return failure;
      },
      onEnd: () => {
        over = true;
        for (const release of held.splice(0)) release();
      },
    });
  }

  /** Ends the answers of those whom `ends` names. */
  end(ends: (principal: Principal) => boolean, reason: AppError): void {
    for (const [controller, principal] of this.active) if (ends(principal)) controller.abort(reason);
  }

  /** Takes no more, and gives those under way half a minute. */
  async drain(): Promise<void> {
    this.draining = true;
    const deadline = performance.now() + DRAIN_MS;
    const waited = this.active.size > 0;
    while (this.active.size > 0 && performance.now() < deadline) await sleep(50);
    // An answer that is over may still be on its way to its client.
    if (waited) await sleep(FLUSH_MS);
    this.end(() => true, new AppError('server_shutdown', 'Ivy was shut down while it wrote this answer.'));
  }

  private recorderFor(
    request: RunRequest,
    context: { runId: string; principal: Principal },
    { name, config }: Snapshot,
  ): RunRecorder | undefined {
    // Chores of clients are no questions.
    return request.task || config.runRetentionDays === 0 ? undefined : new RunRecorder(request, context, name);
  }

  private keepRecord(recorder: RunRecorder): void {
    const record = recorder.end();
    // Recording may have been switched off meanwhile; refusals for haste would only fill the list.
    if (this.options.snapshot().config.runRetentionDays === 0 || record.error === 'rate_limit_exceeded') return;
    this.options.runRecords.save(record).catch((error) => log.error({ err: error }, 'a run cannot be recorded'));
  }

  /** A user counts only where the caller is trusted to name one: then it is the principal's. */
  private noteUsage(model: string, { name, user = '' }: Principal, meter: UsageMeter): void {
    const { tokens } = meter;
    if (!tokens) return;
    const day = new Date().toISOString().slice(0, 10);
    this.options.usage
      .add({ day, caller: name, user: user.slice(0, MAX_USER_CHARS), model, answers: 1, ...tokens })
      .catch((error) => log.error({ err: error }, 'usage cannot be kept'));
  }
}

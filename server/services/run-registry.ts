import { AppError, isAbort, toAppError } from '../core/errors';
import type { Citation, Principal, RunEvent, RunRequest } from '../core/run';
import { createId } from '../lib/ids';
import { log } from '../lib/log';

/** The last entry of every run. */
export interface RunEnd {
  type: 'end';
  outcome: 'done' | 'stopped' | 'failed';
  error: { code: string; message: string } | undefined;
}

export type RunEntry = RunEvent | RunEnd;

/** Entries from `position - entries.length` up to `position`. */
export interface RunSlice {
  position: number;
  entries: readonly RunEntry[];
}

export type StartRun = (
  request: RunRequest,
  context: { runId: string; principal: Principal },
  signal: AbortSignal,
) => AsyncIterable<readonly RunEvent[]>;

interface Run {
  id: string;
  owner: string;
  key: string;
  entries: RunEntry[];
  ended: boolean;
  controller: AbortController;
  readers: number;
  /** Called when entries were added. */
  wake: Set<() => void>;
  timer: NodeJS.Timeout | undefined;
}

export interface RunRegistryLimits {
  /** A run without readers is aborted after this long. */
  abandonMs: number;
  /** A finished run stays readable this long. */
  keepMs: number;
  maxRunning: number;
}

const DEFAULT_LIMITS: RunRegistryLimits = { abandonMs: 60_000, keepMs: 10 * 60_000, maxRunning: 100 };

/**
 * The runs of the built-in chat page. A run belongs to the server: pages read its log by position
 * and may come and go; only stop, limits or a minute without any reader end it.
 */
export class RunRegistry {
  private readonly runs = new Map<string, Run>();
  private readonly byKey = new Map<string, string>();

  constructor(
    private readonly startRun: StartRun,
    private readonly limits: RunRegistryLimits = DEFAULT_LIMITS,
  ) {}

  /** Starts a run and answers its id. The same `key` of the same owner is the same run, however often it is sent. */
  start(request: RunRequest, principal: Principal, key: string): string {
    const ownKey = `${principal.id} ${key}`;
    const existing = this.byKey.get(ownKey);
    if (existing) return existing;
    const running = [...this.runs.values()].filter((run) => !run.ended).length;
    if (running >= this.limits.maxRunning) {
      throw new AppError('rate_limit_exceeded', 'Too many answers are being written just now.', {
        retryAfterSeconds: 5,
      });
    }
    const run: Run = {
      id: createId('run'),
      owner: principal.id,
      key: ownKey,
      entries: [],
      ended: false,
      controller: new AbortController(),
      readers: 0,
      wake: new Set(),
      timer: undefined,
    };
    this.runs.set(run.id, run);
    this.byKey.set(ownKey, run.id);
    this.watchReaders(run);
    void this.pump(run, request, principal);
    return run.id;
  }

  /** Ends a run; what it wrote stays readable. */
  stop(id: string, principal: Principal): void {
    this.find(id, principal).controller.abort();
  }

  /** Yields what was logged from `position` on, then what comes, until the run has ended. */
  async *read(id: string, position: number, principal: Principal, signal: AbortSignal): AsyncIterable<RunSlice> {
    const run = this.find(id, principal);
    run.readers += 1;
    clearTimeout(run.timer);
    try {
      let next = Math.max(0, position);
      while (!signal.aborted) {
        if (next < run.entries.length) {
          const entries = coalesce(run.entries.slice(next));
          next = run.entries.length;
          yield { position: next, entries };
        } else if (run.ended) return;
        else await this.change(run, signal);
      }
    } finally {
      run.readers -= 1;
      this.watchReaders(run);
    }
  }

  private async pump(run: Run, request: RunRequest, principal: Principal): Promise<void> {
    const { signal } = run.controller;
    let end: RunEnd = { type: 'end', outcome: 'done', error: undefined };
    try {
      for await (const events of this.startRun(request, { runId: run.id, principal }, signal)) {
        run.entries.push(...events);
        notify(run);
      }
    } catch (error) {
      const stopped = signal.aborted && !(signal.reason instanceof AppError);
      if (stopped || isAbort(error)) end = { type: 'end', outcome: 'stopped', error: undefined };
      else {
        const failure = toAppError(signal.aborted ? signal.reason : error);
        log.warn({ err: error, run: run.id, code: failure.code }, 'run failed');
        end = { type: 'end', outcome: 'failed', error: { code: failure.code, message: failure.message } };
      }
    }
    run.entries.push(end);
    run.ended = true;
    notify(run);
    this.watchReaders(run);
  }

  /** A run of someone else is as absent as one that never was. */
  private find(id: string, principal: Principal): Run {
    const run = this.runs.get(id);
    if (!run || run.owner !== principal.id) throw new AppError('not_found', 'This answer is no longer on the server.');
    return run;
  }

  private watchReaders(run: Run): void {
    clearTimeout(run.timer);
    if (run.readers > 0) return;
    run.timer = run.ended
      ? setTimeout(() => this.forget(run), this.limits.keepMs)
      : setTimeout(() => run.controller.abort(), this.limits.abandonMs);
    run.timer.unref();
  }

  private forget(run: Run): void {
    this.runs.delete(run.id);
    this.byKey.delete(run.key);
  }

  private change(run: Run, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        run.wake.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      run.wake.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}

function notify(run: Run): void {
  for (const wake of [...run.wake]) wake();
}

type Delta = Extract<RunEntry, { type: 'text-delta' | 'reasoning-delta' }>;
const isDelta = (entry: RunEntry): entry is Delta => entry.type === 'text-delta' || entry.type === 'reasoning-delta';

/** Joins neighbouring text, so that a reader who comes late gets one piece instead of thousands. */
function coalesce(entries: readonly RunEntry[]): RunEntry[] {
  const joined: RunEntry[] = [];
  let group: Delta[] = [];
  const endGroup = () => {
    if (group.length > 0) joined.push(joinDeltas(group));
    group = [];
  };
  for (const entry of entries) {
    if (group.length > 0 && entry.type !== group[0]?.type) endGroup();
    if (isDelta(entry)) group.push(entry);
    else joined.push(entry);
  }
  endGroup();
  return joined;
}

/** The places of citations become those of the joined text. */
function joinDeltas(deltas: readonly Delta[]): Delta {
  const [first] = deltas;
  if (first && deltas.length === 1) return first;
  const text = deltas.map((delta) => delta.text).join('');
  if (first?.type !== 'text-delta') return { type: 'reasoning-delta', text };
  const cites: Citation[] = [];
  let length = 0;
  for (const delta of deltas) {
    if (delta.type === 'text-delta') for (const { n, at } of delta.cites ?? []) cites.push({ n, at: length + at });
    length += delta.text.length;
  }
  return cites.length > 0 ? { type: 'text-delta', text, cites } : { type: 'text-delta', text };
}

import { AppError, toAppError } from '../core/errors';
import { log } from '../lib/log';

/** One pull as its watchers see it. */
export interface PullState {
  name: string;
  state: 'pulling' | 'done' | 'failed' | 'cancelled';
  status: string;
  completedBytes: number;
  totalBytes: number;
  /** Over the last seconds; 0 until known. */
  bytesPerSecond: number;
  error: string | null;
}

type Progress = { status: string; completedBytes: number; totalBytes: number };
type Pull = (name: string, signal: AbortSignal) => AsyncIterable<Progress>;

const KEEP_MS = 5 * 60_000;
const SPEED_WINDOW_MS = 5_000;

interface Job {
  state: PullState;
  controller: AbortController;
  samples: { at: number; bytes: number }[];
}

/** Model downloads: one job per name, any number of watchers, alive across page reloads. */
export class PullRegistry {
  private readonly jobs = new Map<string, Job>();
  private readonly wake = new Set<() => void>();
  private revision = 0;

  /** `finished` is called after a success, to forget cached model lists. */
  constructor(private readonly finished: () => void) {}

  /** Starts the download, or joins the one under way. */
  start(name: string, pull: Pull): void {
    if (this.jobs.get(name)?.state.state === 'pulling') return;
    const job: Job = {
      state: {
        name,
        state: 'pulling',
        status: 'starting',
        completedBytes: 0,
        totalBytes: 0,
        bytesPerSecond: 0,
        error: null,
      },
      controller: new AbortController(),
      samples: [],
    };
    this.jobs.set(name, job);
    void this.run(job, pull);
  }

  /** What was fetched stays with Ollama; the next pull goes on from there. */
  cancel(name: string): void {
    const job = this.jobs.get(name);
    if (job?.state.state !== 'pulling') throw new AppError('not_found', `${name} is not being pulled.`);
    job.controller.abort();
  }

  list(): PullState[] {
    return [...this.jobs.values()].map((job) => job.state);
  }

  /** Yields all jobs at once and after every change, at most four times a second. */
  async *watch(signal: AbortSignal): AsyncIterable<PullState[]> {
    while (!signal.aborted) {
      const seen = this.revision;
      yield this.list();
      // A change that came while the reader was busy must not wait for the next one.
      if (seen === this.revision) await this.change(signal);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  stopAll(): void {
    for (const job of this.jobs.values()) job.controller.abort();
  }

  private async run(job: Job, pull: Pull): Promise<void> {
    const { signal } = job.controller;
    try {
      for await (const progress of pull(job.state.name, signal)) {
        job.state = { ...job.state, ...progress, bytesPerSecond: speed(job, progress.completedBytes) };
        this.notify();
      }
      job.state = { ...job.state, state: 'done', bytesPerSecond: 0 };
      this.finished();
    } catch (error) {
      if (signal.aborted) job.state = { ...job.state, state: 'cancelled', bytesPerSecond: 0 };
      else {
        const failure = toAppError(error);
        log.warn({ err: error, model: job.state.name }, 'pull failed');
        job.state = { ...job.state, state: 'failed', bytesPerSecond: 0, error: failure.message };
      }
    }
    this.notify();
    setTimeout(() => this.forget(job), KEEP_MS).unref();
  }

  private forget(job: Job): void {
    if (this.jobs.get(job.state.name) === job) this.jobs.delete(job.state.name);
    this.notify();
  }

  private notify(): void {
    this.revision += 1;
    for (const wake of [...this.wake]) wake();
  }

  private change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.wake.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.wake.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}

function speed(job: Job, bytes: number): number {
  const now = performance.now();
  job.samples.push({ at: now, bytes });
  while ((job.samples[0]?.at ?? now) < now - SPEED_WINDOW_MS) job.samples.shift();
  const first = job.samples[0];
  if (!first || now - first.at < 500) return job.state.bytesPerSecond;
  return Math.max(0, ((bytes - first.bytes) / (now - first.at)) * 1000);
}

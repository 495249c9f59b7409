import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { forkWorker } from './fork-worker';
import type { ParseJob, ParseReply } from './parse-worker';
import { UnreadableDocument } from './parsed';

export interface ParserLimits {
  timeoutMs: number;
  heapMb: number;
  /** All memory of the process, where the system tells it (Linux). */
  residentMb: number;
}

const DEFAULT_LIMITS: ParserLimits = { timeoutMs: 120_000, heapMb: 1024, residentMb: 1536 };
/** The process is let go after this much idleness, to give its memory back. */
const IDLE_MS = 60_000;

/** Parses documents in a child process with limits on memory and time; a process that dies is replaced. */
export class ParserProcess {
  private child: ChildProcess | undefined;
  private idle: NodeJS.Timeout | undefined;

  constructor(
    private readonly workerPath: string,
    private readonly limits: ParserLimits = DEFAULT_LIMITS,
  ) {}

  /** One document at a time. Throws `UnreadableDocument` with the reason when the file cannot be used. */
  async parse(job: ParseJob, signal: AbortSignal): Promise<Extract<ParseReply, { ok: true }>> {
    signal.throwIfAborted();
    clearTimeout(this.idle);
    const reply = await this.ask(job, signal);
    this.idle = setTimeout(() => this.close(), IDLE_MS);
    this.idle.unref();
    if (reply.ok) return reply;
    throw new UnreadableDocument(reply.reason ?? 'The file is damaged and cannot be read.', { cause: reply.error });
  }

  close(): void {
    clearTimeout(this.idle);
    this.child?.kill('SIGKILL');
    this.child = undefined;
  }

  private ask(job: ParseJob, signal: AbortSignal): Promise<ParseReply> {
    const child = this.start();
    return new Promise((resolve, reject) => {
      let watch: NodeJS.Timeout | undefined;
      const settle = (finish: () => void) => {
        clearTimeout(timer);
        clearInterval(watch);
        signal.removeEventListener('abort', onAbort);
        child.off('message', onMessage);
        child.off('exit', onExit);
        child.off('error', onError);
        finish();
      };
      const giveUp = (reason: string) => {
        settle(() => reject(new UnreadableDocument(reason)));
        this.close();
      };
      const onMessage = (reply: unknown) => settle(() => resolve(reply as ParseReply));
      const onExit = () => giveUp('Reading the file took more memory than allowed, or crashed the reader.');
      // It could not be started or spoken to: no fault of the document.
      const onError = (error: Error) => {
        settle(() => reject(new Error('the reader of documents cannot be started', { cause: error })));
        this.close();
      };
      const onAbort = () => {
        settle(() => reject(signal.reason));
        this.close();
      };
      const { timeoutMs, residentMb } = this.limits;
      const timer = setTimeout(() => giveUp(`Reading the file took longer than ${timeoutMs / 1000} s.`), timeoutMs);
      // The heap limit does not cover what native code and buffers take.
      watch = setInterval(() => {
        if (residentBytes(child.pid) > residentMb * 2 ** 20) giveUp('Reading the file took more memory than allowed.');
      }, 200);
      signal.addEventListener('abort', onAbort, { once: true });
      child.on('message', onMessage);
      child.on('exit', onExit);
      child.on('error', onError);
      child.send(job);
    });
  }

  private start(): ChildProcess {
    if (this.child?.connected) return this.child;
    const child = forkWorker(this.workerPath, this.limits.heapMb);
    // A process that dies while it has nothing to do is simply replaced by the next job.
    const forget = () => {
      if (this.child === child) this.child = undefined;
    };
    child.on('exit', forget);
    child.on('error', forget);
    child.on('disconnect', forget);
    // A parser must not keep a finished server alive.
    child.unref();
    child.channel?.unref();
    this.child = child;
    return child;
  }
}

/** Memory a process holds; 0 where the system does not tell. */
function residentBytes(pid: number | undefined): number {
  try {
    return Number(/^VmRSS:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

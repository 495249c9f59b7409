import { type ChildProcess, fork } from 'node:child_process';
import type { ParseJob, ParseReply } from './parse-worker';
import { UnreadableDocument } from './parsed';

export interface ParserLimits {
  timeoutMs: number;
  heapMb: number;
}

const DEFAULT_LIMITS: ParserLimits = { timeoutMs: 120_000, heapMb: 1024 };
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
      const settle = (finish: () => void) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        child.off('message', onMessage);
        child.off('exit', onExit);
        finish();
      };
      const onMessage = (reply: unknown) => settle(() => resolve(reply as ParseReply));
      const onExit = () => {
        this.child = undefined;
        settle(() =>
          reject(new UnreadableDocument('Reading the file took more memory than allowed, or crashed the reader.')),
        );
      };
      const onAbort = () => {
        settle(() => reject(signal.reason));
        this.close();
      };
      const timer = setTimeout(() => {
        settle(() =>
          reject(new UnreadableDocument(`Reading the file took longer than ${this.limits.timeoutMs / 1000} s.`)),
        );
        this.close();
      }, this.limits.timeoutMs);
      signal.addEventListener('abort', onAbort, { once: true });
      child.on('message', onMessage);
      child.on('exit', onExit);
      child.send(job);
    });
  }

  private start(): ChildProcess {
    if (this.child) return this.child;
    this.child = fork(this.workerPath, {
      execArgv: [`--max-old-space-size=${this.limits.heapMb}`],
      // Nothing of the server's configuration or keys is handed to the reader of foreign files.
      env: { PATH: process.env['PATH'], NODE_ENV: 'production' },
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    // A parser must not keep a finished server alive.
    this.child.unref();
    this.child.channel?.unref();
    return this.child;
  }
}

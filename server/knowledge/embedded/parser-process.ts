import type { ChildProcess } from 'node:child_process';
import { forkWorker } from './fork-worker';
import type { ParseJob, ParseReply } from './parse-worker';
import { joinNotices, UnreadableDocument } from './parsed';
import { processorSeconds, residentBytes } from './process-usage';

export interface ParserLimits {
  /** Processor time of one file; a busy machine is no fault of the file. */
  processorSeconds: number;
  /** Processor time after which a file lets others pass that wait. */
  patienceSeconds: number;
  /** Processor time of one part of a file that cannot be read as a whole. */
  partSeconds: number;
  /** A process that uses no processor time for this long waits for something that will not come. */
  stalledSeconds: number;
  heapMb: number;
  /** All memory of the process, where the system tells it (Linux). */
  residentMb: number;
}

const DEFAULT_LIMITS: ParserLimits = {
  processorSeconds: 300,
  patienceSeconds: 30,
  partSeconds: 20,
  stalledSeconds: 60,
  heapMb: 1024,
  residentMb: 1536,
};
/** The process is let go after this much idleness, to give its memory back. */
const IDLE_MS = 60_000;
/** And when it still holds more than this after a file. */
const MAX_IDLE_MB = 400;
const WATCH_MS = 200;
/** Pages of a part of a file that cannot be read as a whole. */
const PART_PAGES = 25;
/** Parts that cannot be read in a row: then the rest cannot either. */
const MAX_BAD_PARTS = 8;

/** The file takes long, and others may go first. */
export class TakesLong extends Error {
  override readonly name = 'TakesLong';
}

/** The process that read was ended, or ended itself, for a reason that a part of the file may not have. */
class GivenUp extends UnreadableDocument {}

export type Parsed = Extract<ParseReply, { ok: true }>;

/**
 * Parses documents in a child process with limits on memory and processor time; a process that dies is replaced.
 * A PDF that cannot be read as a whole is read in parts, and what can be read of it is kept.
 */
export class ParserProcess {
  private child: ChildProcess | undefined;
  private idle: NodeJS.Timeout | undefined;
  private readonly limits: ParserLimits;

  constructor(
    private readonly workerPath: string,
    limits: Partial<ParserLimits> = {},
  ) {
    this.limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /**
   * One document at a time. Throws `UnreadableDocument` with the reason when the file cannot be used, and `TakesLong`
   * when `patient` is false and others should go first.
   */
  async parse(
    job: ParseJob,
    signal: AbortSignal,
    { patient }: { patient: boolean } = { patient: true },
  ): Promise<Parsed> {
    signal.throwIfAborted();
    clearTimeout(this.idle);
    try {
      return await this.whole(job, signal, patient);
    } catch (error) {
      if (!(error instanceof GivenUp) || job.mediaType !== 'application/pdf') throw error;
      return await this.inParts(job, signal, error);
    } finally {
      this.rest();
    }
  }

  close(): void {
    clearTimeout(this.idle);
    this.child?.kill('SIGKILL');
    this.child = undefined;
  }

  private async whole(job: ParseJob, signal: AbortSignal, patient: boolean): Promise<Parsed> {
    const { processorSeconds: limit, patienceSeconds } = this.limits;
    if (patient) return toParsed(await this.ask(job, signal, limit));
    try {
      return toParsed(await this.ask(job, signal, Math.min(limit, patienceSeconds)));
    } catch (error) {
      if (error instanceof OutOfTime && patienceSeconds < limit)
        throw new TakesLong('others go first', { cause: error });
      throw error;
    }
  }

  /** Reads a PDF some pages at a time; pages that cannot be read are named in the notice. */
  private async inParts(job: ParseJob, signal: AbortSignal, reason: UnreadableDocument): Promise<Parsed> {
    let read: Parsed | undefined;
    const unread: string[] = [];
    let total = Number.POSITIVE_INFINITY;
    let bad = 0;
    for (let from = 1; from <= total && bad < MAX_BAD_PARTS; from += PART_PAGES) {
      const part = { from, to: from + PART_PAGES - 1 };
      try {
        const reply = toParsed(await this.ask({ ...job, part }, signal, this.limits.partSeconds));
        total = reply.document.total ?? from;
        read = read ? joined(read, reply) : reply;
        bad = 0;
      } catch (error) {
        if (!(error instanceof UnreadableDocument)) throw error;
        unread.push(`${part.from}–${Math.min(part.to, total)}`);
        bad += 1;
      }
    }
    if (!read || read.passages.length === 0) throw reason;
    const rest = bad >= MAX_BAD_PARTS ? ' and all after them' : '';
    const notice = unread.length > 0 ? `Pages ${unread.join(', ')}${rest} could not be read.` : null;
    return { ...read, document: { ...read.document, notice: joinNotices(read.document.notice, notice) } };
  }

  /** Memory that a large file took goes back at once, other memory when nothing comes for a while. */
  private rest(): void {
    if (residentBytes(this.child?.pid) > MAX_IDLE_MB * 2 ** 20) this.close();
    else this.idle = setTimeout(() => this.close(), IDLE_MS).unref();
  }

  private ask(job: ParseJob, signal: AbortSignal, seconds: number): Promise<ParseReply> {
    const child = this.start();
    const { residentMb, stalledSeconds } = this.limits;
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void) => {
        clearInterval(watch);
        signal.removeEventListener('abort', onAbort);
        child.off('message', onMessage);
        child.off('exit', onExit);
        child.off('error', onError);
        finish();
      };
      const giveUp = (error: UnreadableDocument) => {
        settle(() => reject(error));
        this.close();
      };
      const onMessage = (reply: unknown) => settle(() => resolve(reply as ParseReply));
      const onExit = () =>
        giveUp(new GivenUp('Reading the file took more memory than allowed, or crashed the reader.'));
      // It could not be started or spoken to: no fault of the document.
      const onError = (error: Error) => {
        settle(() => reject(new Error('the reader of documents cannot be started', { cause: error })));
        this.close();
      };
      const onAbort = () => {
        settle(() => reject(signal.reason));
        this.close();
      };
      const before = processorSeconds(child.pid);
      let used = before;
      let usedAt = performance.now();
      // The heap limit does not cover what native code and buffers take.
      const watch = setInterval(() => {
        if (residentBytes(child.pid) > residentMb * 2 ** 20) {
          return giveUp(new GivenUp('Reading the file took more memory than allowed.'));
        }
        const now = processorSeconds(child.pid);
        if (now - before > seconds) return giveUp(new OutOfTime(`Reading the file took longer than ${seconds} s.`));
        if (now > used) [used, usedAt] = [now, performance.now()];
        else if (performance.now() - usedAt > stalledSeconds * 1000)
          giveUp(new GivenUp('Reading the file does not come to an end.'));
      }, WATCH_MS);
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

class OutOfTime extends GivenUp {}

function toParsed(reply: ParseReply): Parsed {
  if (reply.ok) return reply;
  throw new UnreadableDocument(reply.reason ?? 'The file is damaged and cannot be read.', { cause: reply.error });
}

/** The pages of two parts of one file. */
function joined(first: Parsed, second: Parsed): Parsed {
  const document = {
    ...first.document,
    title: first.document.title ?? second.document.title,
    pages: [...first.document.pages, ...second.document.pages],
    notice: joinNotices(first.document.notice, second.document.notice),
  };
  return {
    ok: true,
    document,
    passages: [...first.passages, ...second.passages],
    language: first.language ?? second.language,
  };
}

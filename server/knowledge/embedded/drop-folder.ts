import { createReadStream } from 'node:fs';
import { access, mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { join, parse, relative, sep } from 'node:path';
import { watch } from 'chokidar';
import { AppError } from '../../core/errors';
import type { DocumentInfo } from '../../core/knowledge';
import { sleep } from '../../lib/async';
import { log } from '../../lib/log';

/** The part of the knowledge base that the folder feeds. */
export interface DropTarget {
  add(name: string, content: AsyncIterable<Uint8Array>): Promise<{ document: DocumentInfo }>;
  get(id: string): Promise<DocumentInfo | undefined>;
}

/** How long a file must stay unchanged before it counts as completely written. */
const SETTLE_MS = 1_000;
const POLL_MS = 300;

/**
 * `unprocessed/` is watched: a file put there is ingested and then moved to `processed/`, or to
 * `failed/` with the reason in a text file beside it. What was there before a restart is taken too.
 */
export class DropFolder {
  private readonly stopped = new AbortController();
  private queue: Promise<void> = Promise.resolve();
  /** Files that were added and wait to be searchable. */
  private readonly waiting = new Set<Promise<void>>();
  private close: () => Promise<void> = async () => {};

  private constructor(
    private readonly directory: string,
    private readonly target: DropTarget,
  ) {}

  static async open(directory: string, target: DropTarget): Promise<DropFolder> {
    const folder = new DropFolder(directory, target);
    for (const name of ['unprocessed', 'processed', 'failed'])
      await mkdir(join(/* turbopackIgnore: true */ directory, name), { recursive: true });
    const watcher = watch(join(directory, 'unprocessed'), {
      ignored: (path) => parse(path).base.startsWith('.'),
      followSymlinks: false,
      awaitWriteFinish: { stabilityThreshold: SETTLE_MS, pollInterval: 200 },
    });
    watcher.on('add', (path) => folder.enqueue(path));
    watcher.on('error', (error) => log.warn({ err: error }, 'the drop folder cannot be watched'));
    folder.close = () => watcher.close();
    return folder;
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    await this.close();
    await this.queue;
    await Promise.all(this.waiting);
  }

  private enqueue(path: string): void {
    this.queue = this.queue.then(() => this.take(path)).catch((error) => this.complain(error));
  }

  private complain(error: unknown): void {
    if (!this.stopped.signal.aborted) log.error({ err: error }, 'a file of the drop folder could not be taken');
  }

  private async take(path: string): Promise<void> {
    if (this.stopped.signal.aborted) return;
    const taken = await stampOf(path);
    try {
      const { document } = await this.target.add(this.inside(path), createReadStream(path));
      // The next file need not wait: documents are indexed together.
      const waiting = this.outcome(document.id)
        .then((reason) => this.putAway(path, taken, reason))
        .catch((error) => this.complain(error))
        .finally(() => this.waiting.delete(waiting));
      this.waiting.add(waiting);
    } catch (error) {
      // Anything but a refusal of the file itself leaves it where it is, for the next start.
      if (!(error instanceof AppError) || error.code === 'storage_full') throw error;
      await this.putAway(path, taken, error.message);
    }
  }

  private async putAway(path: string, taken: string, reason: string | null): Promise<void> {
    // Written again meanwhile: this is another document.
    if ((await stampOf(path)) !== taken) return this.enqueue(path);
    const destination = await this.move(path, reason === null ? 'processed' : 'failed');
    if (reason !== null) await writeFile(`${destination}.reason.txt`, `${reason}\n`);
  }

  /** Null once the document can be searched, else why it cannot. */
  private async outcome(id: string): Promise<string | null> {
    for (;;) {
      const document = await this.target.get(id);
      if (!document || document.status === 'ready') return null;
      if (document.status === 'failed') return document.error ?? 'unknown reason';
      await sleep(POLL_MS, this.stopped.signal);
    }
  }

  /** The path below `unprocessed/`. */
  private inside(path: string): string {
    return relative(join(this.directory, 'unprocessed'), path).split(sep).join('/');
  }

  /** Keeps subfolders and never overwrites. */
  private async move(path: string, folder: 'processed' | 'failed'): Promise<string> {
    const { dir, name, ext } = parse(this.inside(path));
    await mkdir(join(/* turbopackIgnore: true */ this.directory, folder, dir), { recursive: true });
    for (let copy = 1; ; copy++) {
      const destination = join(this.directory, folder, dir, copy === 1 ? `${name}${ext}` : `${name} (${copy})${ext}`);
      const taken = await access(destination).then(
        () => true,
        () => false,
      );
      if (taken) continue;
      await rename(path, destination);
      return destination;
    }
  }
}

/** Differs when a file was written again. */
async function stampOf(path: string): Promise<string> {
  const { size, mtimeMs, ino } = await stat(path);
  return `${size} ${mtimeMs} ${ino}`;
}

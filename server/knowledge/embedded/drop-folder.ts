import { setMaxListeners } from 'node:events';
import { constants } from 'node:fs';
import { access, lstat, mkdir, open, readdir, rename, writeFile } from 'node:fs/promises';
import { join, parse, relative, sep } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import { AppError } from '../../core/errors';
import type { DocumentInfo } from '../../core/knowledge';
import { log } from '../../lib/log';

/** The part of the knowledge base that the folder feeds. */
export interface DropTarget {
  add(name: string, content: AsyncIterable<Uint8Array>): Promise<{ document: DocumentInfo }>;
  /** The document once it is ready or has failed; undefined when it was removed. */
  settled(id: string, signal: AbortSignal): Promise<DocumentInfo | undefined>;
}

/** A file counts as completely written when it has not changed between two looks this far apart. */
const SETTLE_MS = 1_000;
/** What could not be taken for a reason of the machine is tried again after this. */
const RETRY_MS = 30_000;
/** What is left in the folder and why, at most so many. */
const MAX_LEFT = 50;
/** Of editors, browsers and file managers: none of them is a document. */
const TEMPORARY =
  /^(?:~\$|\.|#)|(?:~|\.(?:tmp|temp|part|partial|crdownload|download|swp|swo|lock|lck|bak))$|^(?:thumbs\.db|desktop\.ini)$/i;

/** A file that is left where it is. */
export interface LeftFile {
  name: string;
  reason: string;
}

interface Seen {
  path: string;
  stamp: string;
}

/**
 * `unprocessed/` is watched: a regular file put there is ingested once it is written, and then moved to `processed/`,
 * or to `failed/` with the reason in a text file beside it. What was there before a restart is taken too. Links are not
 * followed; what is not taken is told. While nothing changes, nothing is done.
 */
export class DropFolder {
  private readonly stopped = new AbortController();
  private watcher: FSWatcher | undefined;
  private timer: NodeJS.Timeout | undefined;
  private scanning: Promise<void> | undefined;
  private again = false;
  /** As of the last look. */
  private seen = new Map<string, string>();
  /** Files that were taken, or could not be moved, as they were then: they wait for nothing but a change. */
  private readonly held = new Map<string, string>();
  /** Files that were added and wait to be searchable. */
  private readonly waiting = new Set<Promise<void>>();
  private leftFiles = new Map<string, string>();

  private constructor(
    private readonly directory: string,
    private readonly target: DropTarget,
    private readonly settleMs: number,
  ) {}

  static async open(directory: string, target: DropTarget, settleMs = SETTLE_MS): Promise<DropFolder> {
    const folder = new DropFolder(directory, target, settleMs);
    // Each file that waits listens for the end, and there may be thousands.
    setMaxListeners(0, folder.stopped.signal);
    for (const name of ['unprocessed', 'processed', 'failed'])
      await mkdir(join(/* turbopackIgnore: true */ directory, name), { recursive: true });
    folder.watcher = watch(folder.inbox, { followSymlinks: false, ignoreInitial: true, ignorePermissionErrors: true });
    folder.watcher.on('all', () => folder.look(0));
    folder.watcher.on('error', (error) => log.warn({ err: error }, 'the drop folder cannot be watched'));
    folder.look(0);
    return folder;
  }

  /** What lies in the folder and is not taken, with the reason. */
  get left(): LeftFile[] {
    return [...this.leftFiles].map(([name, reason]) => ({ name, reason }));
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    clearTimeout(this.timer);
    await this.watcher?.close();
    await this.scanning;
    await Promise.all(this.waiting);
  }

  private get inbox(): string {
    return join(this.directory, 'unprocessed');
  }

  private look(delayMs: number): void {
    if (this.stopped.signal.aborted) return;
    if (this.scanning) {
      this.again = true;
      return;
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.scanning = this.scan()
        .catch((error) => this.complain(error))
        .finally(() => {
          this.scanning = undefined;
          if (!this.again) return;
          this.again = false;
          this.look(this.settleMs);
        });
    }, delayMs);
    this.timer.unref();
  }

  /** Takes what has not changed since the look before, and looks again while something changes. */
  private async scan(): Promise<void> {
    const found: Seen[] = [];
    const left = new Map<string, string>();
    await this.walk(this.inbox, found, left);
    this.tell(left);
    const before = this.seen;
    this.seen = new Map(found.map(({ path, stamp }) => [path, stamp]));
    for (const path of this.held.keys()) if (!this.seen.has(path)) this.held.delete(path);
    const fresh = found.filter(({ path, stamp }) => this.held.get(path) !== stamp);
    let unsettled = false;
    for (const file of fresh) {
      if (this.stopped.signal.aborted) return;
      if (before.get(file.path) === file.stamp) await this.take(file);
      else unsettled = true;
    }
    if (unsettled) this.again = true;
  }

  private async walk(folder: string, found: Seen[], left: Map<string, string>): Promise<void> {
    for (const entry of await readdir(folder, { withFileTypes: true, encoding: 'buffer' })) {
      const name = entry.name.toString('utf8');
      const path = join(folder, name);
      const leave = (reason: string) => left.set(this.inside(path), reason);
      if (!Buffer.from(name).equals(entry.name)) leave('its name is not valid UTF-8; rename it');
      else if (TEMPORARY.test(name)) {
        // Nobody asked for it to be taken.
      } else if (entry.isDirectory()) await this.walk(path, found, left);
      else if (entry.isSymbolicLink()) leave('it is a link; put the file itself here');
      else if (!entry.isFile()) leave('it is no regular file');
      else {
        const stamp = await stampOf(path);
        if (stamp !== undefined) found.push({ path, stamp });
      }
    }
  }

  /** Tells once of each file that stays. */
  private tell(left: Map<string, string>): void {
    for (const [name, reason] of left) {
      if (!this.leftFiles.has(name)) log.warn({ file: name, reason }, 'a file of the drop folder is not taken');
    }
    this.leftFiles = new Map([...left].slice(0, MAX_LEFT));
  }

  private complain(error: unknown): void {
    if (!this.stopped.signal.aborted) log.error({ err: error }, 'a file of the drop folder could not be taken');
  }

  private async take(file: Seen): Promise<void> {
    this.held.set(file.path, file.stamp);
    try {
      const { document } = await this.target.add(this.inside(file.path), readUnchanged(file));
      // The next file need not wait: documents are indexed together.
      const waiting = this.target
        .settled(document.id, this.stopped.signal)
        .then((settled) =>
          this.putAway(file, settled?.status === 'failed' ? (settled.error ?? 'unknown reason') : null),
        )
        .catch((error) => this.complain(error))
        .finally(() => this.waiting.delete(waiting));
      this.waiting.add(waiting);
    } catch (error) {
      if (error instanceof ChangedMeanwhile) {
        this.held.delete(file.path);
        this.again = true;
      } else if (error instanceof AppError && error.code !== 'storage_full') {
        await this.putAway(file, error.message).catch((reason) => this.complain(reason));
      } else {
        // A fault of the machine is not the file's.
        this.complain(error);
        this.held.delete(file.path);
        setTimeout(() => this.look(0), RETRY_MS).unref();
      }
    }
  }

  /** Moves a file out of the way, unless it was written anew meanwhile: then it is another document. */
  private async putAway({ path, stamp }: Seen, reason: string | null): Promise<void> {
    if ((await stampOf(path)) !== stamp) {
      this.held.delete(path);
      return this.look(0);
    }
    const destination = await this.move(path, reason === null ? 'processed' : 'failed');
    if (reason !== null) await writeFile(`${destination}.reason.txt`, `${reason}\n`);
  }

  /** The path below `unprocessed/`. */
  private inside(path: string): string {
    return relative(this.inbox, path).split(sep).join('/');
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

/** The file was written while it was read. */
class ChangedMeanwhile extends Error {}

/**
 * The content of a file as it was seen. It is opened without following a link, and without waiting for the other end of
 * a pipe that took its place; at its end it is looked at again, so that nothing half written is kept.
 */
async function* readUnchanged({ path, stamp }: Seen): AsyncIterable<Uint8Array> {
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const file = await open(path, flags).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ELOOP' || error.code === 'ENOENT' ? new ChangedMeanwhile() : error;
  });
  try {
    if (!(await file.stat()).isFile()) throw new ChangedMeanwhile();
    for await (const chunk of file.createReadStream({ autoClose: false })) yield chunk as Uint8Array;
    if ((await stampOf(path)) !== stamp) throw new ChangedMeanwhile();
  } finally {
    await file.close();
  }
}

/** Differs when a file was written again; undefined when it is gone. */
async function stampOf(path: string): Promise<string | undefined> {
  const stat = await lstat(path, { bigint: true }).catch(() => undefined);
  return stat?.isFile() ? `${stat.size} ${stat.mtimeNs} ${stat.ctimeNs} ${stat.ino}` : undefined;
}

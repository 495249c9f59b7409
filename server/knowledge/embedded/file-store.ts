import { createHash } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../core/errors';
import { createId } from '../../lib/ids';
import { log } from '../../lib/log';

export interface ReceivedFile {
  path: string;
  bytes: number;
  sha256: string;
}

/** The originals of documents, named by id; nothing a person typed becomes a path. */
export class FileStore {
  private constructor(
    private readonly files: string,
    private readonly incoming: string,
    private readonly orphans: string,
  ) {}

  /** Leftovers of uploads that were cut off are removed. */
  static async open(directory: string): Promise<FileStore> {
    const files = join(directory, 'files');
    const incoming = join(directory, 'incoming');
    await mkdir(files, { recursive: true });
    await mkdir(incoming, { recursive: true });
    const orphans = join(directory, 'orphans');
    for (const name of await readdir(incoming)) await rm(join(incoming, name), { force: true });
    return new FileStore(files, incoming, orphans);
  }

  path(documentId: string): string {
    return join(this.files, documentId);
  }

  /** Streams content to disk, durably, without naming it yet. Throws `payload_too_large` or `storage_full`. */
  async receive(content: AsyncIterable<Uint8Array>, maxBytes: number): Promise<ReceivedFile> {
    const path = join(this.incoming, createId('in'));
    const hash = createHash('sha256');
    let bytes = 0;
    try {
      const file = await open(path, 'wx', 0o600);
      try {
        for await (const chunk of content) {
          bytes += chunk.length;
          if (bytes > maxBytes) {
            throw new AppError('payload_too_large', `The file is larger than ${Math.round(maxBytes / 2 ** 20)} MB.`);
          }
          hash.update(chunk);
          await file.writeFile(chunk);
        }
        await file.sync();
      } finally {
        await file.close();
      }
    } catch (error) {
      await rm(path, { force: true });
      throw toStorageError(error);
    }
    return { path, bytes, sha256: hash.digest('hex') };
  }

  async discard(file: ReceivedFile): Promise<void> {
    await rm(file.path, { force: true });
  }

  /** Gives a received file its final name; the folder entry is on disk when this returns. */
  async keep(file: ReceivedFile, documentId: string): Promise<void> {
    await rename(file.path, this.path(documentId));
    const folder = await open(this.files, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  async remove(documentId: string): Promise<void> {
    await rm(this.path(documentId), { force: true });
  }

  /** Keeps a file that no document claims out of the way, for a person to look at. */
  async putAside(documentId: string): Promise<void> {
    await mkdir(this.orphans, { recursive: true });
    await rename(this.path(documentId), join(this.orphans, documentId));
    log.warn({ file: documentId }, 'a file belongs to no document; it was moved to the folder orphans');
  }

  /** Ids of files on disk, to find those whose registration was cut off. */
  async ids(): Promise<string[]> {
    return readdir(this.files);
  }
}

function toStorageError(error: unknown): unknown {
  const code = (error as { code?: string }).code;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new AppError('storage_full', 'The disk is full; the file was not stored.', { cause: error });
}

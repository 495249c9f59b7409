import { readFile, rename, writeFile } from 'node:fs/promises';
import type { z } from 'zod';

/** A small fact in a file of its own: read whole or not at all, replaced in one step. */
export class Note<T> {
  constructor(
    private readonly path: string,
    private readonly schema: z.ZodType<T>,
  ) {}

  /** Undefined when there is none, or one that cannot be read. */
  async read(): Promise<T | undefined> {
    const text = await readFile(this.path, 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    try {
      return this.schema.parse(JSON.parse(text));
    } catch {
      return undefined;
    }
  }

  async write(value: T): Promise<void> {
    await writeFile(`${this.path}.half`, JSON.stringify(value));
    await rename(`${this.path}.half`, this.path);
  }
}

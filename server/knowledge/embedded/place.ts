import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { LanceStore } from './lance-store';
import type { PassageStore } from './passage-store';
import { type QdrantOptions, QdrantStore } from './qdrant-store';

/** Where passages are kept: in a Qdrant server, or in the data folder when undefined. */
export type Place = (Omit<QdrantOptions, 'prefix'> & { collection: string }) | undefined;

const NOTE = 'passages.json';
const noteSchema = z.object({
  /** Part of the names in Qdrant, so that two installations never work on each other's passages. */
  installation: z.string(),
  /** The place that serves. */
  place: z.string(),
});
type Note = z.infer<typeof noteSchema>;

/** The places of one installation, and which of them serves. */
export class Places {
  private constructor(
    private readonly options: { directory: string; termWorkerPath: string },
    private note: Note,
  ) {}

  static async open(options: { directory: string; termWorkerPath: string }): Promise<Places> {
    const text = await readFile(join(options.directory, NOTE), 'utf8').catch(() => undefined);
    if (text !== undefined) return new Places(options, noteSchema.parse(JSON.parse(text)));
    const places = new Places(options, { installation: randomBytes(4).toString('hex'), place: nameOf(undefined) });
    await places.write();
    return places;
  }

  /** True when the passages are, or at last were, in this place. */
  serves(place: Place): boolean {
    return this.note.place === nameOf(place);
  }

  /** True when they are in the data folder. */
  get embedded(): boolean {
    return this.serves(undefined);
  }

  async setServing(place: Place): Promise<void> {
    this.note = { ...this.note, place: nameOf(place) };
    await this.write();
  }

  /** A store in Qdrant is not asked for anything yet. */
  async openStore(place: Place): Promise<PassageStore> {
    const { directory, termWorkerPath } = this.options;
    if (!place) return LanceStore.open(join(directory, 'index'), termWorkerPath);
    const { collection, ...options } = place;
    return new QdrantStore({ ...options, prefix: `${collection}_${this.note.installation}` });
  }

  /** Removes what a move has left in the data folder. */
  async removeEmbedded(): Promise<void> {
    await rm(join(this.options.directory, 'index'), { recursive: true, force: true });
  }

  private async write(): Promise<void> {
    const path = join(this.options.directory, NOTE);
    await writeFile(`${path}.half`, JSON.stringify(this.note));
    await rename(`${path}.half`, path);
  }
}

/** The same place has the same name, whatever the key that opens it. */
function nameOf(place: Place): string {
  return place ? `qdrant ${place.url} ${place.collection}` : 'embedded';
}

export const isSamePlace = (a: Place, b: Place): boolean => nameOf(a) === nameOf(b) && a?.apiKey === b?.apiKey;

import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { LanceStore } from './lance-store';
import { Note } from './note';
import type { PassageStore } from './passage-store';
import { type QdrantOptions, QdrantStore } from './qdrant-store';

/** Where passages are kept: in a Qdrant server, or in the data folder when undefined. */
export type Place = (Omit<QdrantOptions, 'prefix'> & { collection: string }) | undefined;

const NOTE = 'passages.json';
const factsSchema = z.object({
  /** Part of the names in Qdrant, so that two installations never work on each other's passages. */
  installation: z.string(),
  /** The place that serves. */
  place: z.string(),
});
type Facts = z.infer<typeof factsSchema>;

export interface PlacesOptions {
  /** Folder of the note and of the embedded store. */
  directory: string;
  termWorkerPath: string;
}

/** The places of one installation, and which of them serves. */
export class Places {
  private constructor(
    private readonly options: PlacesOptions,
    private readonly note: Note<Facts>,
    private facts: Facts,
  ) {}

  static async open(options: PlacesOptions): Promise<Places> {
    const note = new Note(join(options.directory, NOTE), factsSchema);
    const known = await note.read();
    const facts = known ?? { installation: randomBytes(4).toString('hex'), place: nameOf(undefined) };
    if (!known) await note.write(facts);
    return new Places(options, note, facts);
  }

  /** True when the passages are, or at last were, in this place. */
  serves(place: Place): boolean {
    return this.facts.place === nameOf(place);
  }

  /** True when they are in the data folder. */
  get embedded(): boolean {
    return this.serves(undefined);
  }

  async setServing(place: Place): Promise<void> {
    this.facts = { ...this.facts, place: nameOf(place) };
    await this.note.write(this.facts);
  }

  /** A store in Qdrant is not asked for anything yet. */
  async openStore(place: Place): Promise<PassageStore> {
    const { directory, termWorkerPath } = this.options;
    if (!place) return LanceStore.open(join(directory, 'index'), termWorkerPath);
    const { collection, ...options } = place;
    return new QdrantStore({ ...options, prefix: `${collection}_${this.facts.installation}` });
  }

  /** Removes what a move has left in the data folder. */
  async removeEmbedded(): Promise<void> {
    await rm(join(this.options.directory, 'index'), { recursive: true, force: true });
  }
}

/** The same place has the same name, whatever the key that opens it. */
function nameOf(place: Place): string {
  return place ? `qdrant ${place.url} ${place.collection}` : 'embedded';
}

export const isSamePlace = (a: Place, b: Place): boolean => nameOf(a) === nameOf(b) && a?.apiKey === b?.apiKey;

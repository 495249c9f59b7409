import { pushHeap, replaceRoot } from './heap';
import { eachStored, formsOfStored, type WeightedTerms } from './terms';

/** A passage to be indexed: the position in its document, and its terms separated by blanks. */
export interface IndexedTerms {
  position: number;
  terms: string;
}

export interface IndexedDocument {
  id: string;
  collection: string;
  passages: readonly IndexedTerms[];
}

export interface TermHit {
  documentId: string;
  position: number;
  score: number;
}

export interface TermResult {
  /** Best first. */
  hits: TermHit[];
  /** Σ weight · the best BM25 that any passage has for the term alone: what a perfect passage would score. */
  best: number;
  /** Passages searched. */
  size: number;
}

/** Which terms stand in the passages of a scope. */
export interface TermCounts {
  /** How many passages have a term; those that none has are left out. */
  counts: Map<string, number>;
  /** Of the prefixes asked for, those that some word begins with. */
  prefixes: string[];
  size: number;
}

/** BM25's usual values (Robertson and Zaragoza 2009); not tuned. */
export const K1 = 1.2;
const B = 0.75;
/** A term that stands nowhere could at best do what the rarest one does in a passage of middling length. */
const ABSENT_SHARE = 0.6;
/** A posting is one number: the passage in the upper 24 bits, its count of the term in the lower 8. */
const MAX_PASSAGES = 2 ** 24;
const MAX_COUNT = 255;
/** Removed passages are cleared away when they are this share of all. */
const MAX_DEAD = 0.3;
/** Lists that moved to larger places leave gaps: `trim` clears them away when the memory is this much larger. */
const MAX_SLACK = 1.25;

/** count / (count + k1 · (1 - b + b · length / average)): what a term's count in a passage is worth, 0..1. */
export function termShare(count: number, length: number, averageLength: number): number {
  return count / (count + K1 * (1 - B + (B * length) / averageLength));
}

/** What the best passage would score for a term that stands in none of `size` passages. */
export function absentTermBest(size: number): number {
  return inverseFrequency(0, size) * (K1 + 1) * ABSENT_SHARE;
}

const inverseFrequency = (count: number, size: number): number => Math.log(1 + (size - count + 0.5) / (count + 0.5));

/** The passages that one search may see. */
interface Part {
  /** 1 for each of them. */
  open: Uint8Array;
  size: number;
  averageLength: number;
  /** How many of them have a term, for terms that were asked about. */
  counts: Map<number, number>;
}

/** Selections of collections whose statistics are kept; a byte for each passage of the index. */
const MAX_PARTS = 8;
/** Terms whose count in a part is kept. */
const MAX_COUNTED = 20_000;

interface DocumentEntry {
  id: string;
  collection: string;
  /** Its passages are `first` to `first + count - 1`. */
  first: number;
  count: number;
}

/**
 * An inverted index in memory with exact BM25 and weights for terms. Four bytes a posting; a search adds up
 * the lists of its terms, which for 100,000 passages takes about a millisecond (docs/decisions/0010 says why
 * the engine that stores the passages is not asked). Only words as they are written have lists: a stem has those of
 * its words, put together when it is asked for, which halves the memory; a word of two languages has the stems of
 * both. Not thread-safe; lives in a thread of its own.
 */
export class TermIndex {
  private readonly termIds = new Map<string, number>();
  /** By language and word as it is stored: the term of its surface. Its forms are derived once. */
  private readonly words = new Map<string, Map<string, number>>();
  /**
   * Of a term that is a stem: its words, as chains. `chains` holds for each term the number of its first link, 0 for
   * none; a link is two numbers, a term and the number of the next link.
   */
  private chains = new Uint32Array(1024);
  private links = new Uint32Array(2048);
  private linkCount = 1;
  /** Per term: where its postings begin, how many there are, and how many fit there. */
  private starts = new Uint32Array(1024);
  private counts = new Uint32Array(1024);
  private rooms = new Uint32Array(1024);
  private pool = new Uint32Array(16_384);
  private poolEnd = 0;
  /** In all lists, with those of removed passages. */
  private postings = 0;
  private readonly documents = new Map<string, DocumentEntry>();
  /** Per passage. */
  private lengths = new Uint32Array(1024);
  private positions = new Uint32Array(1024);
  private owners: DocumentEntry[] = [];
  /** 1 for passages of removed documents. */
  private dead = new Uint8Array(1024);
  private passages = 0;
  private alive = 0;
  /** Passages of the collections that were searched lately; all statistics are over them alone. */
  private readonly parts = new Map<string, Part>();
  private scores = new Float32Array(0);
  /** While the lists of a stem are put together: how often each passage has it, and which do. */
  private frequencies = new Uint32Array(0);
  private touched = new Uint32Array(0);

  /** Replaces what there is of a document. */
  add({ id, collection, passages }: IndexedDocument): void {
    this.remove(id);
    if (this.passages + passages.length > MAX_PASSAGES) {
      throw new Error(`the embedded index holds at most ${MAX_PASSAGES} passages`);
    }
    const entry = { id, collection, first: this.passages, count: passages.length };
    this.documents.set(id, entry);
    for (const { position, terms } of passages) this.addPassage(entry, position, terms);
    this.parts.clear();
  }

  remove(id: string): void {
    const entry = this.documents.get(id);
    if (!entry) return;
    this.documents.delete(id);
    for (let passage = entry.first; passage < entry.first + entry.count; passage++) {
      this.dead[passage] = 1;
    }
    this.alive -= entry.count;
    this.parts.clear();
    if (this.passages - this.alive > MAX_DEAD * this.passages) this.compact();
  }

  /** Gives back memory that growing has left unused, if it is much. */
  trim(): void {
    if (this.pool.length <= MAX_SLACK * this.postings) return;
    if (this.passages > this.alive) this.compact();
    else this.closeGaps();
  }

  search(terms: WeightedTerms, limit: number, collections: readonly string[] | undefined): TermResult {
    const part = this.partOf(collections);
    if (this.scores.length !== this.passages) this.scores = new Float32Array(this.passages);
    else this.scores.fill(0);
    let best = 0;
    for (const [term, weight] of terms) best += weight * this.addTerm(term, weight, part);
    return { hits: this.top(limit), best, size: part.size };
  }

  /** Which of these terms stand in the passages of some collections, and which prefixes a word there begins with. */
  count(terms: readonly string[], prefixes: readonly string[], collections: readonly string[] | undefined): TermCounts {
    const part = this.partOf(collections);
    const counts = new Map<string, number>();
    for (const term of terms) {
      const count = this.countIn(this.termIds.get(term), part);
      if (count > 0) counts.set(term, count);
    }
    const wanted = new Set(prefixes);
    const found: string[] = [];
    if (wanted.size > 0) {
      for (const [term, id] of this.termIds) {
        for (const prefix of wanted) {
          if (!term.startsWith(prefix) || this.countIn(id, part) === 0) continue;
          wanted.delete(prefix);
          found.push(prefix);
        }
        if (wanted.size === 0) break;
      }
    }
    return { counts, prefixes: found, size: part.size };
  }

  /** Passages of a part that have a term. */
  private countIn(id: number | undefined, { open, size, counts }: Part): number {
    if (id === undefined) return 0;
    const hasWords = at(this.chains, id) !== 0;
    // With no passage out of sight, the list tells it.
    if (!hasWords && size === this.passages) return at(this.counts, id);
    const known = counts.get(id);
    if (known !== undefined) return known;
    let count = 0;
    if (!hasWords) {
      const start = at(this.starts, id);
      const end = start + at(this.counts, id);
      for (let index = start; index < end; index++) count += open[(this.pool[index] as number) >>> 8] as number;
    } else {
      count = this.gather(id, open);
      this.forget(count);
    }
    if (counts.size >= MAX_COUNTED) counts.clear();
    counts.set(id, count);
    return count;
  }

  /** Adds a term's BM25 to the scores of a part; answers the best of one passage. */
  private addTerm(term: string, weight: number, part: Part): number {
    const id = this.termIds.get(term);
    const count = this.countIn(id, part);
    if (id === undefined || count === 0) return absentTermBest(part.size);
    const idf = inverseFrequency(count, part.size);
    const { pool, scores, lengths, frequencies, touched } = this;
    const { open } = part;
    const fixed = K1 * (1 - B);
    const byLength = (K1 * B) / part.averageLength;
    const gain = weight * idf * (K1 + 1);
    let best = 0;
    if (at(this.chains, id) !== 0) {
      const found = this.gather(id, open);
      for (let index = 0; index < found; index++) {
        const passage = touched[index] as number;
        const frequency = Math.min(frequencies[passage] as number, MAX_COUNT);
        const share = frequency / (frequency + fixed + byLength * (lengths[passage] as number));
        if (share > best) best = share;
        scores[passage] = (scores[passage] as number) + gain * share;
      }
      this.forget(found);
      return idf * (K1 + 1) * best;
    }
    const start = at(this.starts, id);
    const end = start + at(this.counts, id);
    for (let index = start; index < end; index++) {
      const posting = pool[index] as number;
      const passage = posting >>> 8;
      if (open[passage] === 0) continue;
      const frequency = posting & 0xff;
      const share = frequency / (frequency + fixed + byLength * (lengths[passage] as number));
      if (share > best) best = share;
      scores[passage] = (scores[passage] as number) + gain * share;
    }
    return idf * (K1 + 1) * best;
  }

  /** Puts the lists of a stem together; answers how many passages are in `touched`, with their `frequencies`. */
  private gather(id: number, open: Uint8Array): number {
    const { pool, frequencies, touched } = this;
    let found = 0;
    const addList = (term: number) => {
      const start = at(this.starts, term);
      const end = start + at(this.counts, term);
      for (let index = start; index < end; index++) {
        const posting = pool[index] as number;
        const passage = posting >>> 8;
        if (open[passage] === 0) continue;
        const before = frequencies[passage] as number;
        if (before === 0) touched[found++] = passage;
        frequencies[passage] = before + (posting & 0xff);
      }
    };
    addList(id);
    for (const word of this.wordsOf(id)) addList(word);
    return found;
  }

  /** Ends what `gather` began. */
  private forget(found: number): void {
    for (let index = 0; index < found; index++) this.frequencies[this.touched[index] as number] = 0;
  }

  /** The best passages by `scores`, kept in a heap whose root is the worst of them. */
  private top(limit: number): TermHit[] {
    const { scores, owners } = this;
    const heap: number[] = [];
    const worse = (a: number, b: number) => at(scores, a) < at(scores, b) || (at(scores, a) === at(scores, b) && a > b);
    for (let passage = 0; passage < this.passages; passage++) {
      const score = scores[passage] as number;
      if (score <= 0 || (heap.length === limit && score <= at(scores, heap[0] as number))) continue;
      if (heap.length < limit) pushHeap(heap, passage, worse);
      else replaceRoot(heap, passage, worse);
    }
    return heap
      .sort((a, b) => at(scores, b) - at(scores, a) || a - b)
      .map((passage) => ({
        documentId: (owners[passage] as DocumentEntry).id,
        position: at(this.positions, passage),
        score: at(scores, passage),
      }));
  }

  private partOf(collections: readonly string[] | undefined): Part {
    const name = collections ? JSON.stringify([...collections].sort()) : '';
    let part = this.parts.get(name);
    if (!part) {
      // Whoever asks for ever new selections must not fill the memory.
      if (this.parts.size >= MAX_PARTS) this.parts.clear();
      part = this.measurePart(collections && new Set(collections));
      if (this.frequencies.length < this.passages) {
        this.frequencies = new Uint32Array(this.passages);
        this.touched = new Uint32Array(this.passages);
      }
      this.parts.set(name, part);
    }
    return part;
  }

  private measurePart(collections: ReadonlySet<string> | undefined): Part {
    const open = new Uint8Array(this.passages);
    let size = 0;
    let length = 0;
    for (let passage = 0; passage < this.passages; passage++) {
      if (this.dead[passage] === 1) continue;
      if (collections && !collections.has((this.owners[passage] as DocumentEntry).collection)) continue;
      open[passage] = 1;
      size += 1;
      length += at(this.lengths, passage);
    }
    return { open, size, averageLength: length > 0 ? length / size : 1, counts: new Map() };
  }

  private addPassage(owner: DocumentEntry, position: number, terms: string): void {
    const passage = this.passages;
    this.passages += 1;
    this.alive += 1;
    this.lengths = roomFor(this.lengths, this.passages);
    this.positions = roomFor(this.positions, this.passages);
    this.dead = roomFor(this.dead, this.passages);
    this.owners.push(owner);
    this.positions[passage] = position;
    const counts = new Map<number, number>();
    const count = (term: number) => counts.set(term, (counts.get(term) ?? 0) + 1);
    let length = 0;
    eachStored(
      terms,
      // However many forms a word has, it is one word of the passage's length; marks are none.
      (word, language) => {
        count(this.words.get(language)?.get(word) ?? this.learn(word, language));
        length += 1;
      },
      (mark) => count(this.termOf(mark)),
    );
    this.lengths[passage] = length;
    for (const [term, count] of counts) this.addPosting(term, (passage << 8) | Math.min(count, MAX_COUNT));
  }

  /** Derives the forms of a stored word: its surface gets a list, and is one of the words of its stems. */
  private learn(word: string, language: string): number {
    const [surface = '', ...stems] = formsOfStored(word, language);
    const term = this.termOf(surface);
    this.remember(word, language, term);
    for (const stem of stems) if (stem !== surface) this.link(this.termOf(stem), term);
    return term;
  }

  private remember(word: string, language: string, term: number): void {
    let words = this.words.get(language);
    if (!words) {
      words = new Map();
      this.words.set(copied(language), words);
    }
    words.set(copied(word), term);
  }

  private *wordsOf(stem: number): Iterable<number> {
    for (let link = at(this.chains, stem); link !== 0; link = at(this.links, 2 * link + 1))
      yield at(this.links, 2 * link);
  }

  /** Makes a word one of a stem's. */
  private link(stem: number, word: number): void {
    for (const other of this.wordsOf(stem)) if (other === word) return;
    const link = this.linkCount++;
    this.links = roomFor(this.links, 2 * this.linkCount);
    this.links[2 * link] = word;
    this.links[2 * link + 1] = at(this.chains, stem);
    this.chains[stem] = link;
  }

  private termOf(term: string): number {
    const known = this.termIds.get(term);
    if (known !== undefined) return known;
    const id = this.termIds.size;
    this.termIds.set(copied(term), id);
    this.starts = roomFor(this.starts, id + 1);
    this.counts = roomFor(this.counts, id + 1);
    this.rooms = roomFor(this.rooms, id + 1);
    this.chains = roomFor(this.chains, id + 1);
    return id;
  }

  private addPosting(id: number, posting: number): void {
    const count = at(this.counts, id);
    if (count === at(this.rooms, id)) this.moveList(id, Math.max(1, count * 2));
    this.pool[at(this.starts, id) + count] = posting;
    this.counts[id] = count + 1;
    this.postings += 1;
  }

  /** Gives a list that is full a larger place; its old one stays empty until the next compaction. */
  private moveList(id: number, room: number): void {
    const start = at(this.starts, id);
    const to = this.poolEnd;
    this.poolEnd += room;
    this.pool = roomFor(this.pool, this.poolEnd);
    this.pool.copyWithin(to, start, start + at(this.counts, id));
    this.starts[id] = to;
    this.rooms[id] = room;
  }

  /** Puts the lists side by side. */
  private closeGaps(): void {
    const pool = new Uint32Array(this.postings);
    let end = 0;
    for (let id = 0; id < this.termIds.size; id++) {
      const start = at(this.starts, id);
      const count = at(this.counts, id);
      pool.set(this.pool.subarray(start, start + count), end);
      this.starts[id] = end;
      this.rooms[id] = count;
      end += count;
    }
    this.pool = pool;
    this.poolEnd = end;
  }

  /** Builds all again without removed passages, and without words that stood in them alone. */
  private compact(): void {
    const places = new Int32Array(this.passages).fill(-1);
    let next = 0;
    for (let passage = 0; passage < this.passages; passage++) {
      if (at(this.dead, passage) === 1) continue;
      places[passage] = next;
      const owner = this.owners[passage] as DocumentEntry;
      if (passage === owner.first) owner.first = next;
      this.owners[next] = owner;
      this.lengths[next] = at(this.lengths, passage);
      this.positions[next] = at(this.positions, passage);
      next += 1;
    }
    this.owners.length = next;
    this.dead.fill(0);
    this.passages = next;
    const old = { termIds: [...this.termIds], words: [...this.words], chains: this.chains, links: this.links };
    const lists = { pool: this.pool, starts: this.starts, counts: this.counts };
    this.termIds.clear();
    this.words.clear();
    this.starts = new Uint32Array(old.termIds.length);
    this.counts = new Uint32Array(old.termIds.length);
    this.rooms = new Uint32Array(old.termIds.length);
    this.chains = new Uint32Array(old.termIds.length);
    this.links = new Uint32Array(2 * this.linkCount);
    this.linkCount = 1;
    this.pool = new Uint32Array(this.postings);
    let end = 0;
    // The words that are left, with their lists; then the stems that have one of them.
    const kept = new Map<number, number>();
    for (const [term, id] of old.termIds) {
      const start = end;
      const from = at(lists.starts, id);
      for (let index = from; index < from + at(lists.counts, id); index++) {
        const posting = at(lists.pool, index);
        const place = at(places, posting >>> 8);
        if (place >= 0) this.pool[end++] = (place << 8) | (posting & 0xff);
      }
      if (end === start) continue;
      const now = this.termOf(term);
      kept.set(id, now);
      this.starts[now] = start;
      this.counts[now] = end - start;
      this.rooms[now] = end - start;
    }
    for (const [term, id] of old.termIds) {
      for (let link = at(old.chains, id); link !== 0; link = at(old.links, 2 * link + 1)) {
        const word = kept.get(at(old.links, 2 * link));
        if (word !== undefined) this.link(this.termOf(term), word);
      }
    }
    for (const [language, words] of old.words) {
      for (const [word, id] of words) {
        const now = kept.get(id);
        if (now !== undefined) this.remember(word, language, now);
      }
    }
    this.pool = this.pool.slice(0, end);
    this.poolEnd = end;
    this.postings = end;
    this.parts.clear();
  }
}

/** A piece of a string keeps the whole of it in memory, and a word must not keep its passage: a copy does not. */
const copied = (text: string): string => Buffer.from(text).toString();

/** Every index used is within its array. */
const at = (numbers: Uint32Array | Uint8Array | Int32Array | Float32Array, index: number): number =>
  numbers[index] as number;

function roomFor<T extends Uint32Array | Uint8Array>(numbers: T, length: number): T {
  if (length <= numbers.length) return numbers;
  const Numbers = numbers.constructor as new (length: number) => T;
  const larger = new Numbers(Math.max(length, Math.ceil(numbers.length * 1.5)));
  larger.set(numbers);
  return larger;
}

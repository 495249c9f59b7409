import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { FakeServer, sendJson } from './server';

type Sparse = { indices: number[]; values: number[] };
type Vector = number[] | Record<string, Sparse>;
type Id = string | number;

interface Point {
  id: Id;
  vector: Vector;
  payload: Record<string, unknown>;
}

interface Collection {
  /** Of the one unnamed dense vector; undefined when there is none. */
  size: number | undefined;
  /** Names of sparse vectors, and whether the server multiplies with the inverse document frequency. */
  sparse: Record<string, { modifier?: 'idf' | 'none' }>;
  settings: Record<string, unknown>;
  indexes: Set<string>;
  points: Map<Id, Point>;
}

interface Condition {
  key: string;
  match?: { value?: unknown; any?: unknown[] };
  range?: { gt?: number; gte?: number; lt?: number; lte?: number };
}
type Filter = { must?: Condition[] } | undefined;

interface Query {
  query: number[] | Sparse;
  using?: string;
  filter?: Filter;
  limit?: number;
  with_payload?: boolean | string[];
}

class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;
const LATE_MS = 50;

/**
 * The part of Qdrant's REST interface that Ivy uses, in memory, with the server's ways: points are named by
 * numbers or UUIDs; changes without `wait` come later; facets need an index; cosine normalises what it keeps;
 * sparse scores are sums over shared indices, times ln((N - n + 0.5) / (n + 0.5) + 1) with `modifier: idf`.
 * Scores were compared with those of Qdrant's own engine (the `qdrant-edge-py` package, 0.9.0).
 */
export class FakeQdrant extends FakeServer {
  readonly collections = new Map<string, Collection>();
  apiKey: string | undefined;
  /** Answers all with 503. */
  down = false;
  /** Delay of every answer. */
  delayMs = 0;
  readonly requests: string[] = [];

  constructor() {
    super((request, response, body) => this.handle(request, response, body));
  }

  private async handle(request: IncomingMessage, response: ServerResponse, body: string): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://qdrant');
    this.requests.push(`${request.method} ${url.pathname}`);
    if (this.delayMs > 0) await sleep(this.delayMs);
    if (this.down) return sendJson(response, 503, { status: { error: 'Service unavailable' }, time: 0 });
    if (this.apiKey && request.headers['api-key'] !== this.apiKey) {
      response.writeHead(401, { 'content-type': 'text/plain' });
      response.end('Must provide an API key or an Authorization bearer token');
      return;
    }
    try {
      const result = this.answer(request.method ?? 'GET', url, body ? JSON.parse(body) : {});
      sendJson(response, 200, { result, status: 'ok', time: 0.001 });
    } catch (error) {
      const { status, message } = error instanceof Refusal ? error : { status: 500, message: String(error) };
      sendJson(response, status, { status: { error: message }, time: 0.001 });
    }
  }

  // biome-ignore lint/suspicious/noExplicitAny: bodies are what the client sends, and are used as such
  private answer(method: string, url: URL, body: any): unknown {
    const [, top, encoded, ...rest] = url.pathname.split('/');
    if (top !== 'collections') throw new Refusal(404, 'not found');
    if (!encoded) return { collections: [...this.collections.keys()].map((name) => ({ name })) };
    const name = decodeURIComponent(encoded);
    const path = `${method} ${rest.join('/')}`;
    if (path === 'GET exists') return { exists: this.collections.has(name) };
    if (path === 'PUT ') return this.create(name, body);
    if (path === 'DELETE ') return this.collections.delete(name);
    const collection = this.collections.get(name);
    if (!collection) throw new Refusal(404, `Not found: Collection \`${name}\` doesn't exist!`);
    const change = (apply: () => void) => {
      if (url.searchParams.get('wait') === 'true') apply();
      else setTimeout(apply, LATE_MS);
      return { operation_id: 1, status: url.searchParams.get('wait') === 'true' ? 'completed' : 'acknowledged' };
    };
    switch (path) {
      case 'PUT index':
        return change(() => collection.indexes.add(body.field_name));
      case 'PUT points': {
        const points = (body.points as Point[]).map((point) => accepted(collection, point));
        return change(() => {
          for (const point of points) collection.points.set(point.id, point);
        });
      }
      case 'POST points/delete':
        return change(() => {
          for (const point of matching(collection, body.filter)) collection.points.delete(point.id);
        });
      case 'POST points':
        return (body.ids as Id[]).flatMap((id) => {
          const point = collection.points.get(checkedId(id));
          return point ? [shown(point, body.with_payload ?? true, body.with_vector)] : [];
        });
      case 'POST points/query':
        return { points: search(collection, body) };
      case 'POST points/query/batch':
        return (body.searches as Query[]).map((query) => ({ points: search(collection, query) }));
      case 'POST points/scroll': {
        const after = [...matching(collection, body.filter)]
          .sort((a, b) => (String(a.id) < String(b.id) ? -1 : 1))
          .filter(({ id }) => body.offset === undefined || String(id) >= String(body.offset));
        const limit = body.limit ?? 10;
        const points = after.slice(0, limit).map((point) => shown(point, body.with_payload ?? true, body.with_vector));
        return { points, next_page_offset: after[limit]?.id ?? null };
      }
      case 'POST points/count':
        return { count: matching(collection, body.filter).length };
      case 'POST facet': {
        if (!collection.indexes.has(body.key)) {
          throw new Refusal(400, `Bad request: Index required but not found for "${body.key}" of type: [keyword]`);
        }
        const counts = new Map<unknown, number>();
        for (const { payload } of matching(collection, body.filter)) {
          counts.set(payload[body.key], (counts.get(payload[body.key]) ?? 0) + 1);
        }
        const hits = [...counts].map(([value, count]) => ({ value, count })).sort((a, b) => b.count - a.count);
        return { hits: hits.slice(0, body.limit ?? 10) };
      }
      default:
        throw new Refusal(404, `not found: ${path}`);
    }
  }

  // biome-ignore lint/suspicious/noExplicitAny: as above
  private create(name: string, { vectors, sparse_vectors, ...settings }: any): true {
    if (this.collections.has(name)) throw new Refusal(409, `Wrong input: Collection \`${name}\` already exists!`);
    this.collections.set(name, {
      size: vectors?.size,
      sparse: sparse_vectors ?? {},
      settings,
      indexes: new Set(),
      points: new Map(),
    });
    return true;
  }
}

function checkedId(id: Id): Id {
  if (typeof id === 'number' || UUID.test(id)) return id;
  throw new Refusal(400, `Format error in JSON body: value ${id} is not a valid point ID`);
}

function accepted({ size, sparse }: Collection, { id, vector, payload }: Point): Point {
  checkedId(id);
  if (Array.isArray(vector)) {
    if (vector.length !== size) throw wrongSize(size, vector.length);
    const length = Math.hypot(...vector) || 1;
    return { id, vector: vector.map((value) => Math.fround(value / length)), payload };
  }
  for (const [name, { indices, values }] of Object.entries(vector)) {
    if (!sparse[name]) throw new Refusal(400, `Wrong input: Not existing vector name error: ${name}`);
    if (new Set(indices).size !== indices.length || indices.length !== values.length) {
      throw new Refusal(422, 'Validation error in JSON body: [points[0].vector.indices: must be unique]');
    }
  }
  return { id, vector, payload };
}

const wrongSize = (expected: number | undefined, got: number) =>
  new Refusal(400, `Wrong input: Vector dimension error: expected dim: ${expected}, got ${got}`);

function matching({ points }: Collection, filter: Filter): Point[] {
  const conditions = filter?.must ?? [];
  return [...points.values()].filter(({ payload }) =>
    conditions.every(({ key, match, range }) => {
      const value = payload[key];
      if (match?.any) return match.any.includes(value);
      if (match) return value === match.value;
      const { gt = -Infinity, gte = -Infinity, lt = Infinity, lte = Infinity } = range ?? {};
      const number = value as number;
      return number > gt && number >= gte && number < lt && number <= lte;
    }),
  );
}

function search(collection: Collection, { query, using, filter, limit = 10, with_payload = false }: Query) {
  const score = Array.isArray(query) ? denseScore(collection, query) : sparseScore(collection, query, using ?? '');
  return matching(collection, filter)
    .flatMap((point) => {
      const value = score(point);
      return value === undefined ? [] : [{ ...shown(point, with_payload, false), version: 0, score: value }];
    })
    .sort((a, b) => b.score - a.score)
    .slice(0, limit);
}

function denseScore({ size }: Collection, query: number[]) {
  if (query.length !== size) throw wrongSize(size, query.length);
  const length = Math.hypot(...query) || 1;
  return ({ vector }: Point): number =>
    Math.fround((vector as number[]).reduce((sum, value, index) => sum + (value * (query[index] ?? 0)) / length, 0));
}

function sparseScore({ sparse, points }: Collection, { indices, values }: Sparse, using: string) {
  const settings = sparse[using];
  if (!settings) throw new Refusal(400, `Wrong input: Not existing vector name error: ${using}`);
  const total = points.size;
  const frequency = (index: number) =>
    [...points.values()].filter(({ vector }) => (vector as Record<string, Sparse>)[using]?.indices.includes(index))
      .length;
  const weights = new Map(
    indices.map((index, place) => {
      const n = frequency(index);
      const idf = settings.modifier === 'idf' ? Math.log((total - n + 0.5) / (n + 0.5) + 1) : 1;
      return [index, (values[place] ?? 0) * idf];
    }),
  );
  return ({ vector }: Point): number | undefined => {
    const own = (vector as Record<string, Sparse>)[using];
    let sum: number | undefined;
    own?.indices.forEach((index, place) => {
      const weight = weights.get(index);
      if (weight !== undefined) sum = (sum ?? 0) + weight * (own.values[place] ?? 0);
    });
    return sum === undefined ? undefined : Math.fround(sum);
  };
}

function shown({ id, vector, payload }: Point, withPayload: boolean | string[], withVector: boolean) {
  const part = Array.isArray(withPayload)
    ? Object.fromEntries(Object.entries(payload).filter(([key]) => withPayload.includes(key)))
    : payload;
  return { id, payload: withPayload === false ? null : part, ...(withVector && { vector }) };
}

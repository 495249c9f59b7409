import { z } from 'zod';
import { type DocumentInfo, type Retrieval, type RetrievalQuery, STAGES } from '../core/knowledge';
import { toRequestError } from './request-errors';

const querySchema = z.looseObject({
  query: z.string().min(1).max(20_000),
  limit: z.number().int().min(1).max(200).nullish(),
  min_score: z.number().min(0).max(1).nullish(),
  collections: z.array(z.string().min(1)).max(100).nullish(),
  stages: z.array(z.enum(STAGES)).nullish(),
});

/** Decodes the body of `POST /query`; throws 400 naming the field that is wrong. */
export function fromAgentQuery(body: unknown): RetrievalQuery {
  const parsed = querySchema.safeParse(body);
  if (!parsed.success) throw toRequestError(parsed.error);
  const { query, limit, min_score, collections, stages } = parsed.data;
  return {
    text: query,
    limit: limit ?? 10,
    minScore: min_score ?? undefined,
    collections: collections ?? undefined,
    ...(stages && { stages }),
  };
}

/** `id` is the passage, `document_id` the document; the first five fields are what every agent sends. */
export function toAgentResponse(query: string, retrieval: Retrieval) {
  return {
    query,
    state: retrieval.state,
    reason: retrieval.reason ?? null,
    ...(retrieval.missing && { missing: retrieval.missing }),
    ...(retrieval.weak && { weak: true }),
    duration_ms: toTenths(retrieval.durationMs),
    timings_ms: Object.fromEntries(Object.entries(retrieval.timings).map(([stage, ms]) => [stage, toTenths(ms)])),
    documents: retrieval.passages.map((passage) => ({
      id: passage.id,
      score: Math.round(passage.score * 10_000) / 10_000,
      source: passage.source,
      page_index: passage.page,
      document_id: passage.documentId,
      collection: passage.collection,
      boxes: passage.boxes,
      page_kind: passage.pageKind,
      text: passage.text,
      title: passage.title,
      heading: passage.heading,
      scores: passage.scores,
      ranks: passage.ranks,
    })),
  };
}

const toTenths = (ms: number) => Math.round(ms * 10) / 10;

/** A document in the form of `GET /documents`. */
export function toDocument(document: DocumentInfo) {
  return {
    id: document.id,
    source: document.source,
    status: document.status,
    error: document.error,
    notice: document.notice,
    title: document.title,
    collection: document.collection,
    pages: document.pages,
    passages: document.passages,
    bytes: document.bytes,
    media_type: document.mediaType,
    revision: document.revision,
    created_at: new Date(document.createdAt).toISOString(),
    updated_at: new Date(document.updatedAt).toISOString(),
  };
}

/** Paging of `GET /documents`: `limit` 1 to 200, `cursor` as the page before answered it. */
export function fromListQuery(search: URLSearchParams): { limit: number; cursor: string | undefined } {
  const parsed = z
    .object({ limit: z.coerce.number().int().min(1).max(200) })
    .safeParse({ limit: search.get('limit') ?? 50 });
  if (!parsed.success) throw toRequestError(parsed.error);
  return { limit: parsed.data.limit, cursor: search.get('cursor') ?? undefined };
}

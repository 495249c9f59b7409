import { readUpload } from '@/app/_http/read-upload';
import { methodNotAllowed, preflight, route } from '@/app/_http/route';
import { fromListQuery, toDocument } from '@/server/openai/agent-contract';

/** 202 once the file is durable, 200 when the same content is there already. */
export const POST = route('either', async ({ request, services, principal }) => {
  const { document, created } = await readUpload(request, (name, content, fields) =>
    services.addDocument(name, content, fields['collection'], principal),
  );
  return Response.json(toDocument(document), { status: created ? 202 : 200 });
});

export const GET = route('either', async ({ request, services, principal }) => {
  const { limit, cursor } = fromListQuery(new URL(request.url).searchParams);
  const { documents, next } = await services.knowledge.list(limit, cursor, principal.collections);
  return Response.json({ documents: documents.map(toDocument), next });
});

export const OPTIONS = preflight;
export const PUT = methodNotAllowed('GET', 'POST');
export const PATCH = PUT;
export const DELETE = PUT;

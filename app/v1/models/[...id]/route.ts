import { methodNotAllowed, preflight, route } from '@/app/_http/route';
import { AppError } from '@/server/core/errors';
import { toModel } from '@/server/openai/to-models';

/** Ids hold slashes and arrive split at them, or escaped. */
export const GET = route<{ id: string[] }>('api', async ({ services, params }) => {
  const id = params.id.map(decodeURIComponent).join('/');
  const model = (await services.models()).find((candidate) => candidate.id === id);
  if (!model) throw new AppError('model_not_found', `The model ${id} does not exist.`, { param: 'model' });
  return Response.json(toModel(model));
});

export const OPTIONS = preflight;
export const POST = methodNotAllowed('GET');
export const PUT = POST;
export const PATCH = POST;
export const DELETE = POST;

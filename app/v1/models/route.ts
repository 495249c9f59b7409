import { methodNotAllowed, preflight, route } from '@/app/_http/route';
import { toModelList } from '@/server/openai/to-models';

export const GET = route('api', async ({ services }) => Response.json(toModelList(await services.models())));

export const OPTIONS = preflight;
export const POST = methodNotAllowed('GET');
export const PUT = POST;
export const PATCH = POST;
export const DELETE = POST;

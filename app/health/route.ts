import { methodNotAllowed, route } from '@/app/_http/route';

export const dynamic = 'force-dynamic';

/** Always 200; the body says how things are. */
export const GET = route('public', async ({ services }) => Response.json(await services.health()));
export const POST = methodNotAllowed('GET');

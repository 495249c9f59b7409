import { methodNotAllowed, route } from '@/app/_http/route';

export const dynamic = 'force-dynamic';

export const GET = route('public', async ({ services }) =>
  Response.json({ ready: services.ready }, { status: services.ready ? 200 : 503 }),
);
export const POST = methodNotAllowed('GET');

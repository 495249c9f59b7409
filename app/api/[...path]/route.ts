import { notFound } from '@/app/_http/not-found';
import { preflight } from '@/app/_http/route';

export const GET = notFound;
export const OPTIONS = preflight;
export const POST = notFound;
export const PUT = notFound;
export const PATCH = notFound;
export const DELETE = notFound;

import type { inferRouterOutputs } from '@trpc/server';
import type { AppRouter } from '@/server/trpc/router';

type Outputs = inferRouterOutputs<AppRouter>;

export type Overview = Outputs['admin']['overview'];
export type DocumentRow = Outputs['documents']['list']['documents'][number];

import { createTRPCClient, httpBatchLink, httpSubscriptionLink, splitLink, TRPCClientError } from '@trpc/client';
import type { AppRouter } from '@/server/trpc/router';

const url = '/api/trpc';

/** Calls of the pages. Subscriptions are event streams that resume by position after a reconnect. */
export const api = createTRPCClient<AppRouter>({
  links: [
    splitLink({
      condition: (operation) => operation.type === 'subscription',
      true: httpSubscriptionLink({ url }),
      false: httpBatchLink({ url, maxItems: 10 }),
    }),
  ],
});

/** What to tell a person about a failed call. */
export function messageOf(error: unknown): string {
  if (error instanceof TRPCClientError && error.data) return error.message;
  return 'Ivy cannot be reached. Check that it is still running.';
}

/** True when the server itself said no: asking again changes nothing. */
export function wasAnswered(error: unknown): boolean {
  return error instanceof TRPCClientError && Boolean(error.data);
}

/** True when the person has to sign in first. */
export function needsSignIn(error: unknown): boolean {
  return error instanceof TRPCClientError && (error.data as { code?: string } | null)?.code === 'UNAUTHORIZED';
}

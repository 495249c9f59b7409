import { z } from 'zod';
import { isAbort } from '../../core/errors';
import { publicProcedure, router } from '../trpc';

/** Signing in and out. */
export const sessionRouter = router({
  state: publicProcedure.query(async ({ ctx }) => {
    const { access } = ctx.services;
    const signedIn = await access.authorize(ctx.request, 'page').then(
      () => true,
      (error: unknown) => {
        if (isAbort(error)) throw error;
        return false;
      },
    );
    return { signInRequired: access.signInRequired, signedIn };
  }),

  login: publicProcedure.input(z.strictObject({ password: z.string().max(200) })).mutation(async ({ ctx, input }) => {
    ctx.setSession(await ctx.services.access.login(ctx.request, input.password));
  }),

  logout: publicProcedure.mutation(async ({ ctx }) => {
    await ctx.services.access.logout(ctx.request);
    ctx.setSession(null);
  }),
});

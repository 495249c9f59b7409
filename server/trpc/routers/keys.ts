import { z } from 'zod';
import { CITATION_STYLES } from '../../core/run';
import { adminProcedure, router } from '../trpc';

/** The API keys of the configuration, known by their last characters, and what is set for each. */
export const keysRouter = router({
  list: adminProcedure.query(({ ctx }) => ctx.services.access.keys()),

  set: adminProcedure
    .input(
      z.strictObject({
        id: z.string(),
        /** How this key's clients get their citations; null leaves it to the kind of client. */
        citations: z.enum(CITATION_STYLES).nullable(),
        trustsUsers: z.boolean(),
        /** What its clients may search and see; null for everything. */
        collections: z.array(z.string().min(1).max(100)).max(100).nullable(),
      }),
    )
    .mutation(async ({ ctx, input: { id, ...settings } }) => {
      await ctx.services.setKey(id, settings, ctx.principal);
    }),
});

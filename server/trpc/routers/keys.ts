import { z } from 'zod';
import { CITATION_STYLES } from '../../core/run';
import { adminProcedure, router } from '../trpc';

/** The API keys of the configuration, known by their last characters, and what is set for each. */
export const keysRouter = router({
  list: adminProcedure.query(({ ctx }) => ctx.services.access.keys()),

  /** How this key's clients get their citations; null leaves it to the kind of client. */
  setCitations: adminProcedure
    .input(z.strictObject({ id: z.string(), citations: z.enum(CITATION_STYLES).nullable() }))
    .mutation(async ({ ctx, input }) => {
      await ctx.services.setKeyCitations(input.id, input.citations, ctx.principal);
    }),
});

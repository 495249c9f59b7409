import { z } from 'zod';
import { AppError } from '../../core/errors';
import { adminProcedure, router } from '../trpc';

/** Records of what was asked and answered. */
export const runsRouter = router({
  list: adminProcedure
    .input(
      z.strictObject({
        limit: z.number().int().min(1).max(200),
        after: z.strictObject({ at: z.number(), id: z.string().max(100) }).nullish(),
      }),
    )
    .query(async ({ ctx, input }) => ({
      runs: await ctx.services.runRecords.list(input.limit, input.after ?? undefined),
      retentionDays: ctx.services.snapshot.config.runRetentionDays,
    })),

  get: adminProcedure.input(z.strictObject({ id: z.string().max(100) })).query(async ({ ctx, input }) => {
    const record = await ctx.services.runRecords.get(input.id);
    if (!record) throw new AppError('not_found', 'There is no record of this answer, or it was too old to keep.');
    return record;
  }),
});

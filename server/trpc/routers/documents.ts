import { z } from 'zod';
import { AppError } from '../../core/errors';
import { adminProcedure, procedure, router } from '../trpc';

/** Documents of the embedded knowledge base. Uploads go through `POST /documents`, which streams. */
export const documentsRouter = router({
  list: procedure
    .input(z.strictObject({ limit: z.number().int().min(1).max(200), cursor: z.string().max(100).nullish() }))
    .query(async ({ ctx, input }) => {
      const [page, counts] = await Promise.all([
        ctx.services.knowledge.list(input.limit, input.cursor ?? undefined),
        ctx.services.knowledge.counts(),
      ]);
      return { ...page, counts, paused: ctx.services.knowledge.ingestion.paused };
    }),

  /** Names of the collections there are. */
  collections: procedure.query(({ ctx }) => ctx.services.knowledge.collections()),

  pause: adminProcedure
    .input(z.strictObject({ paused: z.boolean() }))
    .mutation(({ ctx, input }) => ctx.services.pauseIngestion(input.paused, ctx.principal)),

  cancel: adminProcedure.mutation(({ ctx }) => ctx.services.cancelIngestion(ctx.principal)),

  remove: adminProcedure.input(z.strictObject({ id: z.string() })).mutation(async ({ ctx, input }) => {
    await ctx.services.removeDocument(input.id, ctx.principal);
  }),

  /** A passage of an external agent as an answer cited it. */
  evidence: procedure
    .input(z.strictObject({ run: z.string().max(100), n: z.number().int().min(1).max(1000) }))
    .query(async ({ ctx, input }) => {
      const passage = await ctx.services.evidence.find(input.run, input.n);
      if (!passage) throw new AppError('not_found', 'This answer is too old, or it did not cite such a passage.');
      return passage;
    }),

  /** One page as text, for the source viewer. */
  page: procedure
    .input(z.strictObject({ id: z.string(), page: z.number().int().min(1), passage: z.string().max(200).optional() }))
    .query(async ({ ctx, input }) => {
      const view = await ctx.services.knowledge.page(input.id, input.page, input.passage);
      if (!view) throw new AppError('not_found', 'This document or page does not exist, or it was removed.');
      return view;
    }),
});

import { z } from 'zod';
import { adminProcedure, router } from '../trpc';

const MAX_CSV_CHARS = 600_000;

/** Golden questions, and how well the search answers them. */
export const evaluationRouter = router({
  state: adminProcedure.query(({ ctx }) => ctx.services.evaluations.state()),

  run: adminProcedure
    .input(z.strictObject({ csv: z.string().max(MAX_CSV_CHARS) }))
    .mutation(({ ctx, input, signal }) =>
      ctx.services.evaluations.run(input.csv, signal ?? new AbortController().signal),
    ),
});

import { z } from 'zod';
import { AppError } from '../../core/errors';
import { adminProcedure, router } from '../trpc';

/** Names offered in the pull form. */
const SUGGESTIONS = ['llama3.1', 'llama3.2', 'mistral', 'codellama', 'qwen2.5'];

/** State of every dependency, the active model, and the models of Ollama. */
export const adminRouter = router({
  overview: adminProcedure.query(async ({ ctx }) => {
    const { services } = ctx;
    const { config } = services.snapshot;
    return {
      health: await services.health(),
      choice: { provider: config.llmProvider, source: services.config.sourceOf('LLM_PROVIDER') },
      claudeKey: config.anthropic.apiKey !== undefined,
      problems: services.config.problems.map(({ variable, message }) => ({ variable, message })),
      unknownVariables: services.config.unknown,
      autoChange: services.autoChange ?? null,
      promptProblems: services.prompts.problems,
      leftInDropFolder: services.leftInDropFolder,
    };
  }),

  /** What a client needs to reach Ivy, and when Open WebUI last did. */
  connection: adminProcedure.query(({ ctx }) => {
    const { services } = ctx;
    return {
      url: services.config.config.publicUrl,
      keyRequired: services.access.keyRequired,
      lastSeen: services.openWebUi ?? null,
    };
  }),

  /** Answers and tokens, newest day first. */
  usage: adminProcedure.query(({ ctx }) => ctx.services.usage.recent(100)),

  /** Everything that can be made active, with what is installed. */
  models: adminProcedure.query(async ({ ctx }) => {
    const { providers, config } = ctx.services.snapshot;
    const [ollama, claude] = await Promise.all([
      providers.ollama.models().then(
        (models) => ({ models, error: null }),
        (error: unknown) => ({
          models: [],
          error: error instanceof AppError ? error.message : 'Ollama cannot be read.',
        }),
      ),
      // A key alone sends nothing out: until Claude is chosen only the configured model is offered.
      providers.active === 'claude' ? providers.anthropic?.models().catch(() => []) : undefined,
    ]);
    return {
      ollama,
      claude: (claude ?? []).map((model) => model.id),
      claudeModel: config.anthropic.model,
      suggestions: SUGGESTIONS,
    };
  }),

  /** Effective for the next request; answers that are being written go on as they began. */
  activate: adminProcedure
    .input(
      z.discriminatedUnion('provider', [
        z.strictObject({ provider: z.enum(['auto', 'builtin']) }),
        z.strictObject({ provider: z.enum(['local', 'claude']), model: z.string().min(1).max(200) }),
      ]),
    )
    .mutation(async ({ ctx, input }) => {
      await ctx.services.activate(input.provider, 'model' in input ? input.model : undefined, ctx.principal);
    }),

  pull: adminProcedure.input(z.strictObject({ name: z.string().max(200) })).mutation(({ ctx, input }) => {
    ctx.services.pull(input.name, ctx.principal);
  }),

  cancelPull: adminProcedure.input(z.strictObject({ name: z.string() })).mutation(({ ctx, input }) => {
    ctx.services.pulls.cancel(input.name);
  }),

  /** All pulls and how far they are; any number of pages may watch. */
  pulls: adminProcedure.subscription(({ ctx, signal }) =>
    ctx.services.pulls.watch(signal ?? new AbortController().signal),
  ),

  removeModel: adminProcedure
    .input(z.strictObject({ name: z.string().min(1).max(200) }))
    .mutation(async ({ ctx, input }) => {
      await ctx.services.removeModel(input.name, ctx.principal);
    }),
});

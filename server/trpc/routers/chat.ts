import { tracked } from '@trpc/server';
import { z } from 'zod';
import { procedure, router } from '../trpc';

const messageSchema = z.discriminatedUnion('role', [
  z.strictObject({ role: z.literal('user'), text: z.string().max(200_000) }),
  z.strictObject({ role: z.literal('assistant'), text: z.string().max(500_000) }),
]);

/** The built-in chat: a question starts a run by mutation, its events are read by position. */
export const chatRouter = router({
  start: procedure
    .input(
      z.strictObject({
        /** Made by the page for each question: sending it twice starts one run. */
        key: z.uuid(),
        model: z.string().min(1).max(300),
        messages: z.array(messageSchema).min(1).max(1000),
        retrieval: z.boolean(),
        /** Searched for instead of the question. */
        query: z.string().min(1).max(8_000).optional(),
      }),
    )
    .mutation(({ ctx, input }) => {
      const messages = input.messages.map((message) =>
        message.role === 'user'
          ? { role: message.role, content: [{ type: 'text' as const, text: message.text }] }
          : { role: message.role, text: message.text, toolCalls: [] },
      );
      const { query } = input;
      const rag = input.retrieval ? { ...(query !== undefined && { query }) } : { enabled: false };
      const runId = ctx.services.runs.start(
        { model: input.model, messages, options: {}, rag },
        ctx.principal,
        input.key,
      );
      return { runId };
    }),

  /** Only the run's id and a position stand in the URL; a reconnect goes on where it broke off. */
  events: procedure
    .input(z.strictObject({ runId: z.string(), lastEventId: z.string().regex(/^\d+$/).nullish() }))
    .subscription(async function* ({ ctx, input, signal }) {
      const position = Number(input.lastEventId ?? 0);
      const slices = ctx.services.runs.read(
        input.runId,
        position,
        ctx.principal,
        signal ?? new AbortController().signal,
      );
      for await (const slice of slices) yield tracked(String(slice.position), slice.entries);
    }),

  stop: procedure.input(z.strictObject({ runId: z.string() })).mutation(({ ctx, input }) => {
    ctx.services.runs.stop(input.runId, ctx.principal);
  }),

  /** What can be asked, and in which state it is. */
  models: procedure.query(async ({ ctx }) => {
    const { providers } = ctx.services.snapshot;
    const [listed, health, recent] = await Promise.all([
      providers.list(),
      ctx.services.health(),
      ctx.services.knowledge.list(20),
    ]);
    return {
      models: ctx.services.profiles.concat(listed.map(({ id }) => id)),
      activeProvider: health.llm_provider,
      activeModel: health.model,
      status: health.status,
      documents: health.components.knowledge_base.documents.ready,
      knowledgeAgent: health.knowledge_agent_url !== null,
      /** True while the shipped documents are still there, so that example questions make sense. */
      samples: recent.documents.some((document) => document.sample && document.status === 'ready'),
    };
  }),
});

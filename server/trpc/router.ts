import { adminRouter } from './routers/admin';
import { chatRouter } from './routers/chat';
import { documentsRouter } from './routers/documents';
import { evaluationRouter } from './routers/evaluation';
import { keysRouter } from './routers/keys';
import { runsRouter } from './routers/runs';
import { sessionRouter } from './routers/session';
import { router } from './trpc';

/** The procedures of the built-in pages. */
export const appRouter = router({
  admin: adminRouter,
  chat: chatRouter,
  documents: documentsRouter,
  evaluation: evaluationRouter,
  keys: keysRouter,
  runs: runsRouter,
  session: sessionRouter,
});

export type AppRouter = typeof appRouter;

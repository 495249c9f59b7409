'use client';

import { useCallback, useEffect, useReducer, useRef } from 'react';
import { api, messageOf } from '../trpc-client';
import { applyEntries, createTurn, type RunEntry, type Turn } from './turn';

type Action =
  | { type: 'restored'; turns: Turn[] }
  | { type: 'asked'; turn: Turn }
  | { type: 'started'; key: string; runId: string }
  | { type: 'entries'; key: string; entries: readonly RunEntry[] }
  | { type: 'lost'; key: string; message: string }
  | { type: 'dropped'; key: string }
  | { type: 'cleared' };

function reduce(turns: Turn[], action: Action): Turn[] {
  const change = (key: string, update: (turn: Turn) => Turn) =>
    turns.map((turn) => (turn.key === key ? update(turn) : turn));
  switch (action.type) {
    case 'restored':
      return action.turns;
    case 'asked':
      return [...turns, action.turn];
    case 'started':
      return change(action.key, (turn) => ({ ...turn, runId: action.runId }));
    case 'entries':
      return change(action.key, (turn) => applyEntries(turn, action.entries));
    case 'lost':
      return change(action.key, (turn) => ({ ...turn, phase: 'ended', outcome: 'failed', error: action.message }));
    case 'dropped':
      return turns.filter((turn) => turn.key !== action.key);
    case 'cleared':
      return [];
    default:
      return action satisfies never;
  }
}

/** The conversation lives in this browser tab; answers under way live on the server and are picked up again. */
const SAVE_MS = 1_000;
const STORAGE = 'ivy-conversation-2';

/** The conversation of this tab, with what can be done to it. */
export function useConversation() {
  const [turns, dispatch] = useReducer(reduce, []);
  const subscription = useRef<{ unsubscribe(): void } | null>(null);
  const restored = useRef(false);

  const read = useCallback((key: string, runId: string) => {
    subscription.current?.unsubscribe();
    subscription.current = api.chat.events.subscribe(
      { runId },
      {
        onData: ({ data }) => dispatch({ type: 'entries', key, entries: data }),
        onError: (error) => dispatch({ type: 'lost', key, message: messageOf(error) }),
      },
    );
  }, []);

  const run = useCallback(
    async (turn: Turn, history: readonly Turn[]) => {
      dispatch({ type: 'asked', turn });
      try {
        const { runId } = await api.chat.start.mutate({
          key: turn.key,
          model: turn.model,
          retrieval: turn.retrieval,
          ...(turn.wanted !== null && { query: turn.wanted }),
          messages: [...history.flatMap(toMessages), { role: 'user', text: turn.question }],
        });
        dispatch({ type: 'started', key: turn.key, runId });
        read(turn.key, runId);
      } catch (error) {
        dispatch({ type: 'lost', key: turn.key, message: messageOf(error) });
      }
    },
    [read],
  );

  useEffect(() => {
    const saved = load();
    restored.current = true;
    if (saved.length > 0) dispatch({ type: 'restored', turns: saved.map(restart) });
    const open = saved.findLast((turn) => turn.phase !== 'ended');
    if (open?.runId) read(open.key, open.runId);
    else if (open)
      dispatch({ type: 'lost', key: open.key, message: 'The page was closed before the question was sent.' });
    return () => subscription.current?.unsubscribe();
  }, [read]);

  useEffect(() => {
    if (!restored.current) return;
    // The whole conversation is written at once: not with every word, and always when an answer is there.
    if (turns.at(-1)?.phase !== 'writing') return save(turns);
    const timer = setTimeout(() => save(turns), SAVE_MS);
    return () => clearTimeout(timer);
  }, [turns]);

  const last = turns.at(-1);
  const busy = last !== undefined && last.phase !== 'ended';
  return {
    turns,
    busy,
    ask(question: string, model: string, retrieval: boolean) {
      if (!busy) void run(createTurn(question, model, retrieval), turns);
    },
    /** Asks again in place; `wanted` is searched for instead of the question. */
    retry(turn: Turn, wanted: string | null = turn.wanted) {
      if (busy) return;
      dispatch({ type: 'dropped', key: turn.key });
      const history = turns.slice(0, turns.indexOf(turn));
      void run(createTurn(turn.question, turn.model, turn.retrieval, wanted), history);
    },
    stop() {
      if (last?.runId) void api.chat.stop.mutate({ runId: last.runId }).catch(() => {});
    },
    clear() {
      subscription.current?.unsubscribe();
      dispatch({ type: 'cleared' });
    },
  };
}

function toMessages(turn: Turn) {
  const question = { role: 'user' as const, text: turn.question };
  return turn.text ? [question, { role: 'assistant' as const, text: turn.text }] : [];
}

/** An answer under way is read again from its beginning. */
function restart(turn: Turn): Turn {
  if (turn.phase === 'ended') return turn;
  const { key, runId } = turn;
  return { ...createTurn(turn.question, turn.model, turn.retrieval, turn.wanted), key, runId };
}

function load(): Turn[] {
  try {
    return JSON.parse(sessionStorage.getItem(STORAGE) ?? '[]') as Turn[];
  } catch {
    return [];
  }
}

function save(turns: readonly Turn[]): void {
  try {
    sessionStorage.setItem(STORAGE, JSON.stringify(turns));
  } catch {
    // A full or blocked storage only costs the conversation after a reload.
  }
}

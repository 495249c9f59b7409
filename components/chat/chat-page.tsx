'use client';

import { useQuery } from '@tanstack/react-query';
import Link from 'next/link';
import { useEffect, useRef, useState } from 'react';
import { api } from '../trpc-client';
import { Notice } from '../ui/notice';
import { Shell } from '../ui/shell';
import { Composer } from './composer';
import { TurnView } from './turn-view';
import { useConversation } from './use-conversation';

const DEFAULT_MODEL = 'ivy-orchestrator';

/** Questions that the shipped sample documents answer. */
const EXAMPLES = [
  'What is the payload fairing design?',
  'Under which conditions is the fairing separated?',
  'What is the clamp band preload?',
];

export function ChatPage() {
  const conversation = useConversation();
  const [model, setModel] = useState(DEFAULT_MODEL);
  const [retrieval, setRetrieval] = useState(true);
  const status = useQuery({
    queryKey: ['chat.models'],
    queryFn: () => api.chat.models.query(),
    refetchInterval: 5_000,
  });
  const { turns, busy } = conversation;
  const end = useRef<HTMLDivElement>(null);
  const count = turns.length;
  useEffect(() => {
    if (count > 0) end.current?.scrollIntoView({ block: 'end' });
  }, [count]);

  const answeredBy =
    status.data &&
    (status.data.activeProvider === 'builtin'
      ? 'quotes only, no model'
      : `${status.data.activeProvider} · ${status.data.activeModel}`);
  return (
    <Shell
      aside={
        <div className="flex items-center gap-3">
          {answeredBy && <span className="hidden truncate sm:inline">{answeredBy}</span>}
          {count > 0 && (
            <button type="button" className="button" onClick={conversation.clear} disabled={busy}>
              New chat
            </button>
          )}
        </div>
      }
    >
      <h1 className="sr-only">Chat</h1>
      <div className="flex-1 py-6">
        {status.isError && (
          <Notice tone="failure">
            Ivy cannot be reached. Check that it is still running; this page tries again by itself.
          </Notice>
        )}
        {count === 0 && status.data && (
          <Welcome data={status.data} onAsk={(question) => conversation.ask(question, model, retrieval)} />
        )}
        <ol className="space-y-10">
          {turns.map((turn) => (
            <TurnView key={turn.key} turn={turn} onRetry={(wanted) => conversation.retry(turn, wanted)} busy={busy} />
          ))}
        </ol>
        <div ref={end} className="scroll-mb-40" />
      </div>
      <Composer
        busy={busy}
        models={status.data?.models ?? [DEFAULT_MODEL]}
        model={model}
        retrieval={retrieval}
        onModel={setModel}
        onRetrieval={setRetrieval}
        onAsk={(question) => conversation.ask(question, model, retrieval)}
        onStop={conversation.stop}
      />
    </Shell>
  );
}

type Status = Awaited<ReturnType<typeof api.chat.models.query>>;

function Welcome({ data, onAsk }: { data: Status; onAsk(question: string): void }) {
  const searchable = data.documents > 0 || data.knowledgeAgent;
  return (
    <div className="max-w-2xl space-y-6 pt-[8vh]">
      <div>
        <p className="text-2xl font-semibold text-balance">Ask your documents.</p>
        <p className="mt-1 text-muted">
          Every statement is cited to a document and page, with the score that put it there.
        </p>
      </div>
      {data.activeProvider === 'builtin' && (
        <Notice
          tone="info"
          action={
            <Link className="button" href="/admin">
              Choose a model
            </Link>
          }
        >
          No language model is configured. Ivy answers with quotations from your documents.
        </Notice>
      )}
      {!searchable && (
        <Notice
          tone="doubt"
          action={
            <Link className="button" href="/admin#documents">
              Add documents
            </Link>
          }
        >
          There are no documents to search yet.
        </Notice>
      )}
      {data.samples && (
        <div>
          <p className="label">Try with the sample documents</p>
          <ul className="mt-2 divide-y divide-rule border-y border-rule">
            {EXAMPLES.map((question) => (
              <li key={question}>
                <button
                  type="button"
                  className="w-full cursor-pointer py-2.5 text-left hover:text-ivy"
                  onClick={() => onAsk(question)}
                >
                  {question}
                </button>
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}

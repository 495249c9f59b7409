'use client';

import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { Trash2 } from 'lucide-react';
import Link from 'next/link';
import { useState } from 'react';
import { api, messageOf } from '../trpc-client';
import { Confirm } from '../ui/confirm';
import { formatAgo, formatBytes, plural } from '../ui/format';
import { Notice } from '../ui/notice';
import { ShowMore } from '../ui/show-more';
import type { DocumentRow } from './overview';
import { Upload } from './upload';

const PAGE = 100;
const WORKING = new Set(['queued', 'parsing', 'indexing']);

/** Documents with their state, upload and deletion. */
export function Documents() {
  const client = useQueryClient();
  const [removing, setRemoving] = useState<DocumentRow | null>(null);
  const list = useInfiniteQuery({
    queryKey: ['documents.list'],
    queryFn: ({ pageParam }) => api.documents.list.query({ limit: PAGE, cursor: pageParam }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    refetchInterval: (query) => {
      const counts = query.state.data?.pages[0]?.counts;
      return counts && counts.queued + counts.parsing + counts.indexing > 0 ? 700 : 5_000;
    },
  });
  const remove = useMutation({
    mutationFn: (id: string) => api.documents.remove.mutate({ id }),
    onSettled: () => client.invalidateQueries(),
  });
  const pause = useMutation({
    mutationFn: (paused: boolean) => api.documents.pause.mutate({ paused }),
    onSettled: () => client.invalidateQueries({ queryKey: ['documents.list'] }),
  });
  const cancel = useMutation({
    mutationFn: () => api.documents.cancel.mutate(),
    onSettled: () => client.invalidateQueries({ queryKey: ['documents.list'] }),
  });
  const [cancelling, setCancelling] = useState(false);
  const paused = list.data?.pages[0]?.paused ?? false;
  const documents = list.data?.pages.flatMap((page) => page.documents) ?? [];
  const counts = list.data?.pages[0]?.counts;
  const working = counts ? counts.queued + counts.parsing + counts.indexing : 0;
  return (
    <div className="space-y-4 text-sm">
      <Upload onStored={() => void client.invalidateQueries({ queryKey: ['documents.list'] })} />
      {list.isError && <Notice tone="failure">{messageOf(list.error)}</Notice>}
      {(pause.isError || cancel.isError) && <Notice tone="failure">{messageOf(pause.error ?? cancel.error)}</Notice>}
      {remove.isError && <Notice tone="failure">{messageOf(remove.error)}</Notice>}
      {counts && (
        <div className="flex min-h-9 flex-wrap items-center gap-3">
          <p className="text-muted tabular-nums" role="status">
            {plural(counts.ready, 'document')} ready
            {working > 0 && `, ${working} ${paused ? 'waiting (paused)' : 'in work'}`}
            {counts.failed > 0 && `, ${counts.failed} failed`}
          </p>
          {(working > 0 || paused) && (
            <button type="button" className="button" disabled={pause.isPending} onClick={() => pause.mutate(!paused)}>
              {paused ? 'Go on' : 'Pause'}
            </button>
          )}
          {counts.queued > 0 && (
            <button type="button" className="button" disabled={cancel.isPending} onClick={() => setCancelling(true)}>
              Remove waiting
            </button>
          )}
        </div>
      )}
      {cancelling && (
        <Confirm
          title={`Remove ${plural(counts?.queued ?? 0, 'waiting document')}?`}
          action="Remove"
          onCancel={() => setCancelling(false)}
          onConfirm={() => {
            cancel.mutate();
            setCancelling(false);
          }}
        >
          Documents that have not been read yet are removed with their files. What is ready stays.
        </Confirm>
      )}
      {list.data && documents.length === 0 && (
        <p className="text-muted">No documents yet. Add some above, or put them into data/ingestion/unprocessed.</p>
      )}
      <ul className="divide-y divide-rule">
        {documents.map((document) => (
          <Row key={document.id} document={document} onRemove={() => setRemoving(document)} />
        ))}
      </ul>
      <ShowMore list={list} />
      {removing && (
        <Confirm
          title={`Delete ${removing.source}?`}
          action="Delete"
          onCancel={() => setRemoving(null)}
          onConfirm={() => {
            remove.mutate(removing.id);
            setRemoving(null);
          }}
        >
          The file and everything found in it are removed. Citations of earlier answers will no longer open.
        </Confirm>
      )}
    </div>
  );
}

function Row({ document, onRemove }: { document: DocumentRow; onRemove(): void }) {
  const { status, source, pages, pageKind, passages, bytes, revision } = document;
  const facts = [
    pages !== null && plural(pages, pageKind),
    passages !== null && plural(passages, 'passage'),
    formatBytes(bytes),
    revision > 1 && `revision ${revision}`,
    document.collection !== 'default' && document.collection,
    document.sample && 'sample',
    formatAgo(document.createdAt),
  ].filter(Boolean);
  return (
    <li className="flex items-start gap-4 py-2.5">
      <div className="min-w-0 flex-1">
        <p className="font-semibold [overflow-wrap:anywhere]">
          {status === 'ready' ? (
            <Link className="hover:text-ivy hover:underline" href={`/view/${document.id}?page=1`}>
              {source}
            </Link>
          ) : (
            source
          )}
        </p>
        <p className="text-muted tabular-nums">{facts.join(' · ')}</p>
        {status === 'failed' && <p className="text-red">Failed: {document.error}</p>}
        {document.notice && <p className="text-amber">{document.notice}</p>}
        {WORKING.has(status) && (
          <p className="flex items-center gap-2 text-muted">
            <span aria-hidden="true" className="size-2 motion-safe:animate-pulse rounded-full bg-ivy" />
            {{ queued: 'Waiting', parsing: 'Reading', indexing: 'Indexing' }[status as 'queued']}…
          </p>
        )}
      </div>
      <button type="button" className="button" aria-label={`Delete ${source}`} onClick={onRemove}>
        <Trash2 aria-hidden="true" size={14} />
        <span className="max-sm:sr-only">Delete</span>
      </button>
    </li>
  );
}

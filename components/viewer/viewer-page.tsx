'use client';

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { ChevronLeft, ChevronRight, Download } from 'lucide-react';
import Link from 'next/link';
import { useEffect, useMemo, useRef } from 'react';
import { api, messageOf } from '../trpc-client';
import { Markdown } from '../ui/markdown';
import { Notice } from '../ui/notice';
import { Shell } from '../ui/shell';

/** One page of a document as text, for checking a citation. */
export function ViewerPage({ document: id, page, passage }: { document: string; page: number; passage?: string }) {
  const view = useQuery({
    queryKey: ['documents.page', id, page, passage],
    queryFn: () => api.documents.page.query({ id, page, ...(passage !== undefined && { passage }) }),
    placeholderData: keepPreviousData,
  });
  const range = view.data?.passage;
  const marks = useMemo(() => (range ? [{ ...range, className: 'passage' }] : []), [range]);
  const text = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (range) text.current?.querySelector('mark.passage')?.scrollIntoView({ block: 'center' });
  }, [range]);
  const pages = view.data?.document.pages ?? page;
  const kind = view.data?.document.pageKind === 'section' ? 'Section' : 'Page';
  return (
    <Shell
      aside={
        <a className="button" href={`/documents/${encodeURIComponent(id)}/file`} download>
          <Download aria-hidden="true" size={14} /> Original
        </a>
      }
    >
      <div className="mx-auto w-full max-w-2xl py-6">
        {view.isPending && <p className="text-muted">Loading…</p>}
        {view.isError && <Notice tone="failure">{messageOf(view.error)}</Notice>}
        {view.data && (
          <>
            <h1 className="text-lg font-semibold [overflow-wrap:anywhere]">{view.data.document.source}</h1>
            {view.data.document.title && <p className="text-muted">{view.data.document.title}</p>}
            <nav aria-label="Pages" className="mt-3 flex items-center gap-2 border-y border-rule py-2 text-sm">
              <PageLink id={id} page={page - 1} pages={pages} label={`Previous ${kind.toLowerCase()}`}>
                <ChevronLeft aria-hidden="true" size={16} />
              </PageLink>
              <span className="tabular-nums">
                {kind} {view.data.page} of {pages}
              </span>
              <PageLink id={id} page={page + 1} pages={pages} label={`Next ${kind.toLowerCase()}`}>
                <ChevronRight aria-hidden="true" size={16} />
              </PageLink>
              {view.data.heading && <span className="ml-2 truncate text-muted">{view.data.heading}</span>}
            </nav>
            <div ref={text} className="mt-5">
              {view.data.text.trim() === '' ? (
                <p className="text-muted">This page has no text layer.</p>
              ) : (
                <Markdown text={view.data.text} marks={marks} />
              )}
            </div>
          </>
        )}
      </div>
    </Shell>
  );
}

function PageLink(props: { id: string; page: number; pages: number; label: string; children: React.ReactNode }) {
  if (props.page < 1 || props.page > props.pages) {
    return (
      <span aria-hidden="true" className="button opacity-40">
        {props.children}
      </span>
    );
  }
  return (
    <Link className="button" aria-label={props.label} href={`/view/${props.id}?page=${props.page}`}>
      {props.children}
    </Link>
  );
}

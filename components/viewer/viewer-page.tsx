'use client';

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { ChevronLeft, ChevronRight, Download } from 'lucide-react';
import dynamic from 'next/dynamic';
import Link from 'next/link';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { api, messageOf } from '../trpc-client';
import { Markdown } from '../ui/markdown';
import { Notice } from '../ui/notice';
import { Shell } from '../ui/shell';

const PdfPage = dynamic(() => import('./pdf-page'), {
  ssr: false,
  loading: () => <p className="text-muted">Loading…</p>,
});
const NO_BOXES: [] = [];

/** One page of a document, as it looks where the format has pages to draw, and as text; for checking a citation. */
export function ViewerPage({ document: id, page, passage }: { document: string; page: number; passage?: string }) {
  const view = useQuery({
    queryKey: ['documents.page', id, page, passage],
    queryFn: () => api.documents.page.query({ id, page, ...(passage !== undefined && { passage }) }),
    placeholderData: keepPreviousData,
  });
  const [form, setForm] = useState<'page' | 'text'>('page');
  const [failed, setFailed] = useState(false);
  const onFailure = useCallback(() => setFailed(true), []);
  const drawable = view.data?.document.mediaType === 'application/pdf' && !failed;
  const drawn = drawable && form === 'page';
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
      <div className={`mx-auto w-full py-6 ${drawn ? 'max-w-4xl' : 'max-w-2xl'}`}>
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
              {drawable && (
                <fieldset className="ml-auto flex gap-1">
                  <legend className="sr-only">Show as</legend>
                  {(['page', 'text'] as const).map((one) => (
                    <button
                      key={one}
                      type="button"
                      className="button aria-pressed:border-ivy aria-pressed:text-ivy"
                      aria-pressed={form === one}
                      onClick={() => setForm(one)}
                    >
                      {one === 'page' ? 'Page' : 'Text'}
                    </button>
                  ))}
                </fieldset>
              )}
            </nav>
            {failed && <Notice tone="doubt">This page cannot be drawn here; this is its text.</Notice>}
            <div ref={text} className="mt-5">
              {drawn ? (
                <PdfPage
                  url={`/documents/${encodeURIComponent(id)}/file`}
                  bytes={view.data.document.bytes}
                  page={view.data.page}
                  boxes={range?.boxes ?? NO_BOXES}
                  onFailure={onFailure}
                />
              ) : view.data.text.trim() === '' ? (
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

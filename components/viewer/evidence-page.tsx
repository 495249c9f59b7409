'use client';

import { useQuery } from '@tanstack/react-query';
import { ExternalLink } from 'lucide-react';
import { api, messageOf } from '../trpc-client';
import { Markdown } from '../ui/markdown';
import { Notice } from '../ui/notice';
import { Shell } from '../ui/shell';

/** A passage of an external knowledge agent, as it was when an answer cited it. */
export function EvidencePage({ run, n }: { run: string; n: number }) {
  const passage = useQuery({
    queryKey: ['documents.evidence', run, n],
    queryFn: () => api.documents.evidence.query({ run, n }),
  });
  const { data } = passage;
  return (
    <Shell
      aside={
        data?.url && (
          <a className="button" href={data.url} target="_blank" rel="noreferrer">
            <ExternalLink aria-hidden="true" size={14} /> Original
          </a>
        )
      }
    >
      <div className="mx-auto w-full max-w-2xl py-6">
        {passage.isPending && <p className="text-muted">Loading…</p>}
        {passage.isError && <Notice tone="failure">{messageOf(passage.error)}</Notice>}
        {data && (
          <>
            <h1 className="text-lg font-semibold [overflow-wrap:anywhere]">{data.source}</h1>
            <p className="mt-1 border-b border-rule pb-2 text-sm text-muted">
              {data.pageKind === 'page' ? 'Page' : 'Section'} {data.page} · score {data.score.toFixed(2)}
              {data.heading && <> · {data.heading}</>} · cited as [{data.n}], found by the knowledge agent
            </p>
            <div className="mt-5">
              {data.text ? (
                <Markdown text={data.text} />
              ) : (
                <p className="text-muted">
                  The knowledge agent sent no text for this passage. Look it up in the document itself.
                </p>
              )}
            </div>
          </>
        )}
      </div>
    </Shell>
  );
}

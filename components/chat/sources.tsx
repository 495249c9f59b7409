'use client';

import { ExternalLink } from 'lucide-react';
import type { CitedPassage } from '@/server/core/knowledge';
import { placeOf, type Turn } from './turn';

interface Props {
  turn: Turn;
  cited: ReadonlySet<number>;
  selected: number | null;
  sourceId(n: number): string;
}

/** The retrieved passages: cited ones first, the others visibly apart once the answer is complete. */
export function Sources({ turn, cited, selected, sourceId }: Props) {
  const complete = turn.phase === 'ended';
  const used = complete ? turn.passages.filter((passage) => cited.has(passage.n)) : turn.passages;
  const unused = complete ? turn.passages.filter((passage) => !cited.has(passage.n)) : [];
  const card = (passage: CitedPassage, isCited: boolean) => (
    <SourceCard
      key={passage.n}
      passage={passage}
      isCited={isCited}
      isSelected={selected === passage.n}
      id={sourceId(passage.n)}
    />
  );
  return (
    <aside aria-label="Sources" className="min-w-0 text-sm lg:border-l lg:border-rule lg:pl-5">
      {used.length > 0 && <h3 className="label">{complete ? 'Cited' : 'Found'}</h3>}
      <ol className="divide-y divide-rule">{used.map((passage) => card(passage, cited.has(passage.n)))}</ol>
      {unused.length > 0 && (
        <details className="mt-3" open={used.length === 0}>
          <summary className="label cursor-pointer">Retrieved, not cited ({unused.length})</summary>
          <ol className="divide-y divide-rule">{unused.map((passage) => card(passage, false))}</ol>
        </details>
      )}
    </aside>
  );
}

function SourceCard({
  passage,
  isCited,
  isSelected,
  id,
}: {
  passage: CitedPassage;
  isCited: boolean;
  isSelected: boolean;
  id: string;
}) {
  const href = passage.documentId
    ? `/view/${passage.documentId}?page=${passage.page}&passage=${encodeURIComponent(passage.id)}`
    : passage.url;
  return (
    <li
      id={id}
      tabIndex={-1}
      className={`scroll-mt-20 scroll-mb-40 py-3 ${isSelected ? 'bg-ivy-soft px-2 -mx-2' : ''}`}
    >
      <p className="flex items-baseline gap-2">
        <span className={`font-semibold tabular-nums ${isCited ? 'text-ivy' : 'text-muted'}`}>[{passage.n}]</span>
        <span className="min-w-0 flex-1 font-semibold [overflow-wrap:anywhere]">{passage.source}</span>
        <span className="shrink-0 tabular-nums">{placeOf(passage)}</span>
      </p>
      {passage.heading && <p className="mt-0.5 text-muted">{passage.heading}</p>}
      <Score score={passage.score} />
      {passage.text ? (
        <details className="group mt-1.5">
          <summary className="cursor-pointer list-none">
            <span className="line-clamp-3 text-muted group-open:hidden">{plain(passage.text)}</span>
            <span className="hidden text-muted group-open:inline">Show less</span>
          </summary>
          <p className="mt-1 max-h-96 overflow-y-auto whitespace-pre-wrap [overflow-wrap:anywhere]">{passage.text}</p>
        </details>
      ) : (
        <p className="mt-1.5 text-muted">The knowledge agent sent no text for this page.</p>
      )}
      {href && (
        <a
          href={href}
          target="_blank"
          rel="noopener noreferrer"
          className="mt-1.5 inline-flex min-h-6 items-center gap-1 text-ivy hover:underline"
        >
          Open {passage.pageKind} <ExternalLink aria-hidden="true" size={13} />
        </a>
      )}
    </li>
  );
}

/** The score as a number and, where it is a share of 1, as a bar. */
function Score({ score }: { score: number }) {
  const share = score >= 0 && score <= 1;
  return (
    <p className="mt-1 flex items-center gap-2 text-muted">
      {share && (
        <span aria-hidden="true" className="h-1.5 w-24 bg-rule">
          <span className="block h-full bg-ivy" style={{ width: `${Math.round(score * 100)}%` }} />
        </span>
      )}
      <span className="tabular-nums">
        <span className="sr-only">Score </span>
        {score.toFixed(2)}
      </span>
    </p>
  );
}

/** One line of text without Markdown's signs, for the preview. */
function plain(text: string): string {
  return text
    .replace(/^[ \t:|-]+$/gm, ' ')
    .replace(/[*_#`|]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

'use client';

import { Check, Copy } from 'lucide-react';
import Link from 'next/link';
import { memo, useCallback, useDeferredValue, useMemo, useState } from 'react';
import { Markdown } from '../ui/markdown';
import { Notice } from '../ui/notice';
import { Sources } from './sources';
import { citedNumbers, isDoubtful, placeOf, type Turn, toMarks, toReason, toSummary } from './turn';

/** A question, its answer, and the evidence beside it. */
export const TurnView = memo(function TurnView({
  turn,
  busy,
  onRetry,
}: {
  turn: Turn;
  busy: boolean;
  /** `wanted` is searched for instead of the question. */
  onRetry(wanted?: string): void;
}) {
  const [selected, setSelected] = useState<number | null>(null);
  const { text, citations } = useDeferredValue(turn);
  const cited = useMemo(() => citedNumbers(turn), [turn]);
  const sourceId = useCallback((n: number) => `${turn.key}-source-${n}`, [turn.key]);
  const { passages, sentences } = turn;
  const marks = useMemo(() => toMarks(sentences), [sentences]);
  const citation = useCallback(
    (n: number) => {
      const passage = passages.find((candidate) => candidate.n === n);
      if (!passage) return <span>[{n}]</span>;
      const jump = () => {
        setSelected(n);
        const card = document.getElementById(sourceId(n));
        card?.scrollIntoView({ block: 'nearest' });
        card?.focus({ preventScroll: true });
      };
      return (
        <button
          type="button"
          onClick={jump}
          title={`${passage.source}, ${placeOf(passage)}, score ${passage.score.toFixed(2)}`}
          aria-label={`Source ${n}: ${passage.source}, ${placeOf(passage)}`}
          className="mx-0.5 cursor-pointer rounded-sm bg-ivy-soft px-1 align-baseline text-[0.8em] font-semibold text-ivy tabular-nums hover:underline"
        >
          [{n}]
        </button>
      );
    },
    [passages, sourceId],
  );
  return (
    <li className="grid gap-x-10 gap-y-4 lg:grid-cols-[minmax(0,42rem)_minmax(0,1fr)]">
      <article aria-busy={turn.phase !== 'ended'} className="min-w-0">
        <h2 className="text-lg font-semibold whitespace-pre-wrap [overflow-wrap:anywhere]">{turn.question}</h2>
        <div className="mt-3 space-y-3">
          <RetrievalNotice turn={turn} />
          <Searched turn={turn} busy={busy} onSearch={onRetry} />
          {turn.reasoning && (
            <details className="text-sm text-muted">
              <summary className="cursor-pointer">Reasoning</summary>
              <p className="mt-1 whitespace-pre-wrap">{turn.reasoning}</p>
            </details>
          )}
          <Markdown text={text} citation={citation} citations={citations} marks={marks} />
          <Progress turn={turn} />
          <Outcome turn={turn} onRetry={() => onRetry()} />
        </div>
      </article>
      {turn.passages.length > 0 && <Sources turn={turn} cited={cited} selected={selected} sourceId={sourceId} />}
    </li>
  );
});

function RetrievalNotice({ turn }: { turn: Turn }) {
  const { state, reason, missing, weak, undelivered, passages } = turn;
  const names = [...(missing?.identifiers ?? []), ...(missing?.words ?? [])];
  return (
    <>
      {names.length > 0 && (
        <Notice tone="doubt">
          No document contains {names.map((name) => `“${name}”`).join(', ')}.
          {passages.length > 0 && ' What was found is about something near it.'}
        </Notice>
      )}
      {undelivered && <Notice tone="doubt">{undelivered} This answer is not based on your documents.</Notice>}
      {state === 'degraded' && passages.length > 0 && <Notice tone="doubt">{reason}</Notice>}
      {state === 'degraded' && passages.length === 0 && (
        <Notice tone="doubt">The documents could not be searched: {reason} This answer is not based on them.</Notice>
      )}
      {state === 'empty' && <Notice tone="doubt">{reason}</Notice>}
      {state === 'ok' && weak && names.length === 0 && (
        <p className="text-sm text-amber">Weak match: the passages share little with the question.</p>
      )}
      {state === 'off' && reason && (
        <p className="text-sm text-muted">Answered without searching the documents: {reason}.</p>
      )}
    </>
  );
}

/** What a follow-up was searched as, and a way to search for something else. */
function Searched({ turn, busy, onSearch }: { turn: Turn; busy: boolean; onSearch(wanted: string): void }) {
  const [draft, setDraft] = useState<string | null>(null);
  const searched = turn.wanted ?? turn.rewritten;
  if (searched === null || turn.state === 'off') return null;
  if (draft === null) {
    return (
      <p className="flex flex-wrap items-baseline gap-x-2 text-sm text-muted">
        <span className="[overflow-wrap:anywhere]">Searched for “{shorten(searched)}”</span>
        {turn.phase === 'ended' && !busy && (
          <button
            type="button"
            className="min-h-6 cursor-pointer text-ivy hover:underline"
            onClick={() => setDraft(searched)}
          >
            Change
          </button>
        )}
      </p>
    );
  }
  return (
    <form
      className="flex flex-wrap gap-2 text-sm"
      onSubmit={(event) => {
        event.preventDefault();
        if (draft.trim() !== '') onSearch(draft.trim());
      }}
    >
      <input
        className="field min-w-0 flex-1"
        aria-label="Search for"
        value={draft}
        maxLength={8000}
        onChange={(event) => setDraft(event.target.value)}
      />
      <button type="submit" className="button" disabled={busy}>
        Search and answer again
      </button>
      <button type="button" className="button" onClick={() => setDraft(null)}>
        Cancel
      </button>
    </form>
  );
}

/** What is going on until the first word, and that more is to come. */
function Progress({ turn }: { turn: Turn }) {
  if (turn.phase === 'ended') return null;
  const words = {
    starting: 'Sending the question…',
    searching: `Searching for “${shorten(turn.query ?? '')}”…`,
    waiting: turn.state === 'ok' ? `Found ${turn.passages.length}. Waiting for the model…` : 'Waiting for the model…',
    writing: 'Writing…',
  }[turn.phase];
  return (
    <p role="status" className="flex items-center gap-2 text-sm text-muted">
      <span aria-hidden="true" className="size-2 motion-safe:animate-pulse rounded-full bg-ivy" />
      {words}
    </p>
  );
}

function Outcome({ turn, onRetry }: { turn: Turn; onRetry(): void }) {
  if (turn.outcome === null) return null;
  const retry = (
    <button type="button" className="button" onClick={onRetry}>
      Try again
    </button>
  );
  const { passages, messages } = turn.leftOut;
  return (
    <>
      {turn.outcome === 'failed' && (
        <Notice
          tone="failure"
          action={
            <>
              {retry}
              <Link className="button" href="/admin">
                Admin
              </Link>
            </>
          }
        >
          {turn.text && 'The answer broke off. '}
          {turn.error}
        </Notice>
      )}
      {turn.outcome === 'stopped' && (
        <Notice tone="info" action={retry}>
          Stopped.
        </Notice>
      )}
      {turn.cutOff && <Notice tone="doubt">The answer reached its length limit and is not complete.</Notice>}
      {(passages > 0 || messages > 0) && (
        <p className="text-sm text-amber">
          The model’s context was too short for {passages > 0 && `${passages} of the passages`}
          {passages > 0 && messages > 0 && ' and '}
          {messages > 0 && `${messages} earlier messages`}; they were left out.
        </p>
      )}
      <Evidence turn={turn} />
      {turn.text && <Footer turn={turn} />}
    </>
  );
}

/** What the check of the answer found. */
function Evidence({ turn }: { turn: Turn }) {
  const { sentences, conflicts } = turn;
  return (
    <>
      {conflicts.map(({ subject, first, second }) => (
        <Notice key={`${subject} ${first.value} ${second.value}`} tone="doubt">
          The documents disagree on “{subject}”: {first.value} [{first.n}], {second.value} [{second.n}].
        </Notice>
      ))}
      {sentences.length > 0 && <Checked turn={turn} />}
    </>
  );
}

function Checked({ turn }: { turn: Turn }) {
  const doubtful = turn.sentences.filter(isDoubtful);
  const others = turn.sentences.filter(
    ({ outcome, attributed, secondLook }) => outcome === 'unknown' || attributed !== undefined || secondLook,
  );
  const summary = toSummary(turn);
  if (doubtful.length + others.length === 0) {
    return (
      <p className="flex items-center gap-1 text-sm text-ivy">
        <Check aria-hidden="true" size={14} /> {summary}
      </p>
    );
  }
  return (
    <details className="text-sm" open={doubtful.length > 0}>
      <summary className={`cursor-pointer ${doubtful.length > 0 ? 'text-amber' : 'text-ivy'}`}>{summary}</summary>
      <ul className="mt-1 list-disc space-y-1 pl-5">
        {[...doubtful, ...others.filter((sentence) => !isDoubtful(sentence))].map((sentence) => (
          <SentenceLine key={sentence.start} sentence={sentence} />
        ))}
      </ul>
    </details>
  );
}

function SentenceLine({ sentence }: { sentence: Turn['sentences'][number] }) {
  const { text, attributed, nearest, secondLook, outcome } = sentence;
  return (
    <li className="[overflow-wrap:anywhere]">
      “{shorten(text.replace(/[*_`]/g, ''))}” <span className="text-muted">{toReason(sentence)}</span>
      {attributed !== undefined && <span className="text-muted"> Source found by Ivy: [{attributed}].</span>}
      {outcome !== 'supported' && nearest && (
        <span className="block text-muted">
          Nearest in [{nearest.n}]: “{nearest.text}”
        </span>
      )}
      {secondLook && (
        <span className="block text-muted">
          {secondLook.model}, asked whether the source says this: {secondLook.verdict}.
        </span>
      )}
    </li>
  );
}

function Footer({ turn }: { turn: Turn }) {
  const tokens = Object.values(turn.tokens).reduce((sum, count) => sum + count, 0);
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(turn.text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2_000);
  };
  return (
    <p className="flex flex-wrap items-center gap-3 text-sm text-muted">
      {/* Browsers offer the clipboard on https and localhost only. */}
      {typeof navigator !== 'undefined' && navigator.clipboard && (
        <button
          type="button"
          className="inline-flex min-h-6 cursor-pointer items-center gap-1 hover:text-ink"
          onClick={copy}
        >
          {copied ? <Check aria-hidden="true" size={14} /> : <Copy aria-hidden="true" size={14} />}
          {copied ? 'Copied' : 'Copy'}
        </button>
      )}
      {turn.answeredBy && <span>{turn.answeredBy}</span>}
      {tokens > 0 && <span className="tabular-nums">{tokens.toLocaleString('en')} tokens</span>}
    </p>
  );
}

function shorten(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 77)}…`;
}

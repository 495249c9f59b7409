'use client';

import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Download } from 'lucide-react';
import { useState } from 'react';
import type { Candidate } from '@/server/core/knowledge';
import type { RunRecord, RunSummary } from '@/server/core/run-record';
import { isDoubtful, toReason } from '../chat/turn';
import { api, messageOf } from '../trpc-client';
import { formatAgo } from '../ui/format';
import { Notice } from '../ui/notice';
import { ScrollTable } from '../ui/scroll-table';
import { ShowMore } from '../ui/show-more';

const PAGE = 20;

/** What was asked lately; each opens to how its answer came about. */
export function Runs() {
  const list = useInfiniteQuery({
    queryKey: ['runs.list'],
    queryFn: ({ pageParam }) => api.runs.list.query({ limit: PAGE, after: pageParam }),
    initialPageParam: null as { at: number; id: string } | null,
    getNextPageParam: ({ runs }) => {
      const last = runs.length === PAGE ? runs.at(-1) : undefined;
      return last ? { at: last.at, id: last.id } : null;
    },
    refetchInterval: 10_000,
  });
  if (list.isError) return <Notice tone="failure">{messageOf(list.error)}</Notice>;
  if (!list.data) return null;
  const runs = list.data.pages.flatMap((page) => page.runs);
  const days = list.data.pages[0]?.retentionDays ?? 0;
  return (
    <div className="space-y-3 text-sm">
      <p className="text-muted">
        {days === 0
          ? 'Nothing is recorded: IVY_RUN_RETENTION_DAYS is 0.'
          : `Questions and answers are kept for ${days} days on this machine (IVY_RUN_RETENTION_DAYS).`}
      </p>
      {runs.length === 0 && days > 0 && <p className="text-muted">Nothing was asked yet.</p>}
      <ul className="divide-y divide-rule">
        {runs.map((run) => (
          <Row key={run.id} run={run} />
        ))}
      </ul>
      <ShowMore list={list} />
    </div>
  );
}

function Row({ run }: { run: RunSummary }) {
  const [open, setOpen] = useState(false);
  const facts = [
    formatAgo(run.at),
    run.caller,
    run.model,
    run.state && `search ${run.state}`,
    `${(run.totalMs / 1000).toFixed(1)} s`,
  ].filter(Boolean);
  return (
    <li className="py-2.5">
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary className="cursor-pointer [overflow-wrap:anywhere]">
          <span className="font-semibold">{run.question || '(no text)'}</span>
          <span className="block text-muted tabular-nums">
            {facts.join(' · ')}
            {run.error && <span className="text-red"> · {run.error}</span>}
            {run.doubtful > 0 && <span className="text-amber"> · {run.doubtful} to check</span>}
          </span>
        </summary>
        {open && <Details id={run.id} />}
      </details>
    </li>
  );
}

function Details({ id }: { id: string }) {
  const record = useQuery({ queryKey: ['runs.get', id], queryFn: () => api.runs.get.query({ id }) });
  if (record.isError) return <Notice tone="failure">{messageOf(record.error)}</Notice>;
  if (!record.data) return <p className="mt-2 text-muted">Loading…</p>;
  const { gate, rewritten, retrieval, answeredBy, prompt, usage, answer, evidence, configuration } = record.data;
  const facts: [string, string | null | undefined][] = [
    ['Gate', gate && `${gate.retrieve ? 'search' : 'no search'}: ${gate.reason}`],
    ['Searched for', retrieval?.query],
    ['Rewritten by', rewritten && (rewritten.by === 'model' ? 'the model' : 'words of the conversation')],
    ['Search', retrieval && `${retrieval.state}${retrieval.reason ? `: ${retrieval.reason}` : ''}`],
    ['Times', toTimes(record.data)],
    ['Prompt', prompt && `about ${prompt.promptTokensEstimate} tokens, ${prompt.passagesLeftOut} passages left out`],
    ['Answered by', answeredBy && `${answeredBy.provider} · ${answeredBy.model}`],
    ['Tokens', usage && `${usage.promptTokens} read, ${usage.completionTokens} written`],
    ['Configuration', configuration],
    ['Request', id],
  ];
  return (
    <div className="mt-3 space-y-4 border-l border-rule pl-4">
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1">
        {facts.map(
          ([name, value]) =>
            value && (
              <div key={name} className="contents">
                <dt className="text-muted">{name}</dt>
                <dd className="tabular-nums [overflow-wrap:anywhere]">{value}</dd>
              </div>
            ),
        )}
      </dl>
      {retrieval && retrieval.candidates.length > 0 && <Candidates candidates={retrieval.candidates} />}
      {answer && <p className="max-h-72 overflow-y-auto whitespace-pre-wrap [overflow-wrap:anywhere]">{answer}</p>}
      {evidence.some(isDoubtful) && (
        <ul className="list-disc pl-5 text-amber">
          {evidence.filter(isDoubtful).map((sentence) => (
            <li key={sentence.start}>
              {sentence.text} <span className="text-muted">{toReason(sentence)}</span>
            </li>
          ))}
        </ul>
      )}
      <a
        className="button"
        download={`${id}.json`}
        href={`data:application/json;charset=utf-8,${encodeURIComponent(JSON.stringify(record.data, null, 2))}`}
      >
        <Download aria-hidden="true" size={14} /> Export
      </a>
    </div>
  );
}

function toTimes({ retrieval, firstTokenMs, totalMs }: RunRecord): string {
  const stages = Object.entries(retrieval?.timings ?? {}).map(([stage, ms]) => `${stage} ${ms.toFixed(1)} ms`);
  return [
    ...stages,
    firstTokenMs !== null && `first token ${Math.round(firstTokenMs)} ms`,
    `all ${Math.round(totalMs)} ms`,
  ]
    .filter(Boolean)
    .join(', ');
}

/** Every passage that was looked at, with what each stage said. */
function Candidates({ candidates }: { candidates: readonly Candidate[] }) {
  const stages = (['keyword', 'vector', 'fused', 'rerank'] as const).filter((stage) =>
    candidates.some(({ scores }) => scores[stage] !== undefined),
  );
  return (
    <ScrollTable
      label="Candidates"
      className="max-h-96"
      columns={['Passage', 'Score', ...stages].map((name, index) => ({ name, right: index > 0 }))}
    >
      {candidates.map((candidate) => (
        <tr key={candidate.id}>
          <td className="min-w-48 py-1 pr-4 [overflow-wrap:anywhere]">
            {candidate.source}, {candidate.pageKind} {candidate.page}
          </td>
          <td className="py-1 pr-4 text-right">{candidate.score.toFixed(2)}</td>
          {stages.map((stage) => (
            <td key={stage} className="py-1 pr-4 text-right whitespace-nowrap">
              {candidate.scores[stage]?.toFixed(3) ?? '–'}
              {candidate.ranks?.[stage] !== undefined && <span className="text-muted"> #{candidate.ranks[stage]}</span>}
            </td>
          ))}
        </tr>
      ))}
    </ScrollTable>
  );
}

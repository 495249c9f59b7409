'use client';

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Quality } from '@/server/core/evaluation';
import { api, messageOf } from '../trpc-client';
import { formatAgo } from '../ui/format';
import { Notice } from '../ui/notice';
import { ScrollTable } from '../ui/scroll-table';

type State = Awaited<ReturnType<typeof api.evaluation.state.query>>;
type Result = NonNullable<State['last']>;

const EXAMPLE = 'question,document,page\nWhat is the mass of the payload fairing?,hedera-2-payload-fairing.pdf,3';

/** Questions whose answer is known, and how well the search finds it. */
export function Evaluation() {
  const client = useQueryClient();
  const state = useQuery({ queryKey: ['evaluation.state'], queryFn: () => api.evaluation.state.query() });
  const [draft, setDraft] = useState<string>();
  const run = useMutation({
    mutationFn: (csv: string) => api.evaluation.run.mutate({ csv }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['evaluation.state'] }),
  });
  if (state.isError) return <Notice tone="failure">{messageOf(state.error)}</Notice>;
  if (!state.data) return null;
  const csv = draft ?? state.data.csv;
  const result = run.data ?? state.data.last;
  return (
    <div className="space-y-4 text-sm">
      <form
        className="space-y-2"
        onSubmit={(event) => {
          event.preventDefault();
          run.mutate(csv);
        }}
      >
        <label htmlFor="golden-set" className="block text-muted">
          One question a line with its document and, where it matters, the page, as CSV. They are searched as they would
          be for an answer, and once more by words alone.
        </label>
        <textarea
          id="golden-set"
          className="field min-h-32 w-full font-mono text-xs"
          placeholder={EXAMPLE}
          spellCheck={false}
          value={csv}
          onChange={(event) => setDraft(event.target.value)}
        />
        <button type="submit" className="button" disabled={run.isPending || csv.trim() === ''}>
          {run.isPending ? 'Asking…' : 'Keep and ask all'}
        </button>
      </form>
      {run.isError && <Notice tone="failure">{messageOf(run.error)}</Notice>}
      {result && result.questions.length > 0 && <Outcome result={result} />}
      {state.data.history.length > 1 && <History history={state.data.history} />}
    </div>
  );
}

function Outcome({ result }: { result: Result }) {
  const { all, words, questions } = result;
  return (
    <div className="space-y-2">
      <p className="first-letter:uppercase">
        {toWords(all)} of {questions.length} {questions.length === 1 ? 'question' : 'questions'}
        {words && <span className="text-muted"> · words alone: {toWords(words)}</span>}
      </p>
      <ScrollTable
        label="Golden questions"
        columns={[
          { name: 'Question' },
          { name: 'Right page' },
          { name: 'Place', right: true },
          ...(words ? [{ name: 'Words alone', right: true }] : []),
          { name: 'Found first' },
        ]}
      >
        {questions.map(({ question, source, page, place, wordsPlace, first }) => (
          <tr key={`${question} ${source} ${page}`} className="align-top">
            <td className="min-w-52 py-2 pr-4 [overflow-wrap:anywhere]">{question}</td>
            <td className="min-w-44 py-2 pr-4 [overflow-wrap:anywhere]">{placeName(source, page)}</td>
            <td className={`py-2 pr-4 text-right ${place === null ? 'text-amber' : ''}`}>{place ?? 'none'}</td>
            {words && <td className="py-2 pr-4 text-right">{wordsPlace ?? 'none'}</td>}
            <td className="min-w-44 py-2 text-muted [overflow-wrap:anywhere]">
              {place === 1 || !first ? '–' : `${placeName(first.source, first.page)} · ${first.score.toFixed(2)}`}
            </td>
          </tr>
        ))}
      </ScrollTable>
    </div>
  );
}

function History({ history }: Pick<State, 'history'>) {
  return (
    <details>
      <summary className="cursor-pointer text-muted">Earlier results</summary>
      <ul className="mt-2 space-y-1 tabular-nums">
        {history.map(({ at, questions, all, configuration }) => (
          <li key={at}>
            {formatAgo(at)} · {questions} questions · {toWords(all)}
            <span className="text-muted"> · configuration {configuration}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}

const percent = (share: number) => `${Math.round(share * 100)} %`;
const toWords = ({ first, firstFive }: Quality) =>
  `right page first ${percent(first)}, among five ${percent(firstFive)}`;
const placeName = (source: string, page: number | undefined) => (page === undefined ? source : `${source}, ${page}`);

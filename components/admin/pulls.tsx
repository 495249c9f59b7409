'use client';

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Download } from 'lucide-react';
import { useEffect, useState } from 'react';
import { api, messageOf } from '../trpc-client';
import { formatBytes, formatSeconds } from '../ui/format';
import { Notice } from '../ui/notice';

/** What the server tells about one pull. */
interface PullState {
  name: string;
  state: 'pulling' | 'done' | 'failed' | 'cancelled';
  status: string;
  completedBytes: number;
  totalBytes: number;
  bytesPerSecond: number;
  error: string | null;
}

/** Pulling models by name, with progress that any page can watch and that outlives a reload. */
export function Pulls({ suggestions, installed }: { suggestions: readonly string[]; installed: readonly string[] }) {
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [pulls, setPulls] = useState<readonly PullState[]>([]);
  const pull = useMutation({
    mutationFn: (model: string) => api.admin.pull.mutate({ name: model }),
    onSuccess: () => setName(''),
  });
  const cancel = useMutation({ mutationFn: (model: string) => api.admin.cancelPull.mutate({ name: model }) });
  useEffect(() => {
    const subscription = api.admin.pulls.subscribe(undefined, { onData: setPulls });
    return () => subscription.unsubscribe();
  }, []);
  const finished = pulls.filter(({ state }) => state === 'done').length;
  useEffect(() => {
    if (finished > 0) void client.invalidateQueries();
  }, [client, finished]);
  const isInstalled = (model: string) => installed.some((id) => id === model || id.startsWith(`${model}:`));
  return (
    <div className="space-y-3">
      <form
        className="flex flex-wrap items-end gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          pull.mutate(name);
        }}
      >
        <label className="min-w-0 flex-1 basis-56">
          <span className="label">Pull a model</span>
          <input
            className="field mt-1 w-full font-mono"
            placeholder="llama3.2:3b"
            value={name}
            onChange={(event) => setName(event.target.value)}
            autoCapitalize="off"
            spellCheck={false}
          />
        </label>
        <button type="submit" className="button" disabled={name.trim() === '' || pull.isPending}>
          <Download aria-hidden="true" size={14} /> Pull
        </button>
      </form>
      <p className="flex flex-wrap gap-2">
        {suggestions
          .filter((model) => !isInstalled(model))
          .map((model) => (
            <button
              key={model}
              type="button"
              className="button font-mono"
              aria-label={`Pull ${model}`}
              onClick={() => pull.mutate(model)}
            >
              {model}
            </button>
          ))}
      </p>
      {pull.isError && <Notice tone="failure">{messageOf(pull.error)}</Notice>}
      {cancel.isError && <Notice tone="failure">{messageOf(cancel.error)}</Notice>}
      <ul className="space-y-3">
        {pulls.map((state) => (
          <PullRow
            key={state.name}
            pull={state}
            onCancel={() => cancel.mutate(state.name)}
            onRetry={() => pull.mutate(state.name)}
          />
        ))}
      </ul>
    </div>
  );
}

function PullRow({ pull, onCancel, onRetry }: { pull: PullState; onCancel(): void; onRetry(): void }) {
  const { name, state, completedBytes, totalBytes, bytesPerSecond } = pull;
  const share = totalBytes > 0 ? completedBytes / totalBytes : 0;
  const left = bytesPerSecond > 0 ? (totalBytes - completedBytes) / bytesPerSecond : null;
  const words = {
    pulling: [
      pull.status.startsWith('pulling ') && totalBytes > 0
        ? `${formatBytes(completedBytes)} of ${formatBytes(totalBytes)}`
        : pull.status,
      bytesPerSecond > 0 && `${formatBytes(bytesPerSecond)}/s`,
      left !== null && share < 1 && `${formatSeconds(left)} left`,
    ]
      .filter(Boolean)
      .join(' · '),
    done: 'Installed.',
    failed: pull.error ?? 'It failed.',
    cancelled: 'Cancelled. What was fetched is kept; pulling again goes on from there.',
  }[state];
  return (
    <li className="border border-rule p-3" aria-label={`Pull of ${name}`}>
      <p className="flex items-center gap-3">
        <span className="min-w-0 flex-1 font-mono [overflow-wrap:anywhere]">{name}</span>
        {state === 'pulling' && (
          <button type="button" className="button" aria-label={`Cancel pulling ${name}`} onClick={onCancel}>
            Cancel
          </button>
        )}
        {(state === 'failed' || state === 'cancelled') && (
          <button type="button" className="button" aria-label={`Pull ${name} again`} onClick={onRetry}>
            Pull again
          </button>
        )}
      </p>
      {state === 'pulling' && (
        <progress className="mt-2 h-2 w-full" value={share} max={1} aria-label={`Progress of ${name}`} />
      )}
      <p className={`mt-1 tabular-nums ${state === 'failed' ? 'text-red' : 'text-muted'}`}>{words}</p>
    </li>
  );
}

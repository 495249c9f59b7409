'use client';

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, messageOf } from '../trpc-client';
import { Notice } from '../ui/notice';

type Citations = Parameters<typeof api.keys.setCitations.mutate>[0]['citations'];

const STYLES: { value: Citations; name: string }[] = [
  { value: null, name: 'By the kind of client' },
  { value: 'annotations', name: 'Annotations (OpenAI)' },
  { value: 'openwebui', name: 'Open WebUI sources' },
  { value: 'footnotes', name: 'Footnotes in the text' },
  { value: 'none', name: 'Only [n] in the text' },
];

/** The keys of IVY_API_KEYS and how the clients that use them get their citations. */
export function ApiKeys() {
  const client = useQueryClient();
  const keys = useQuery({ queryKey: ['keys.list'], queryFn: () => api.keys.list.query(), refetchInterval: 10_000 });
  const change = useMutation({
    mutationFn: (input: { id: string; citations: Citations }) => api.keys.setCitations.mutate(input),
    onSettled: () => client.invalidateQueries({ queryKey: ['keys.list'] }),
  });
  const failure = keys.error ?? change.error;
  return (
    <div className="space-y-3 text-sm">
      {failure && <Notice tone="failure">{messageOf(failure)}</Notice>}
      {keys.data?.length === 0 && (
        <p className="text-muted">
          No key is set. Keys are kept in <code>IVY_API_KEYS</code> in <code>.env</code>; each then appears here.
        </p>
      )}
      {keys.data && keys.data.length > 0 && (
        <ul className="divide-y divide-rule border-y border-rule">
          {keys.data.map((key) => (
            <li key={key.id} className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 py-2">
              <span>
                <span className="font-semibold">{key.name}</span>{' '}
                <span className="font-mono text-xs text-muted">…{key.hint}</span>
              </span>
              <label className="flex items-center gap-2">
                <span className="text-muted">Citations</span>
                <select
                  className="rounded border border-rule bg-paper px-2 py-1"
                  value={key.citations ?? ''}
                  disabled={change.isPending}
                  onChange={({ target }) =>
                    change.mutate({ id: key.id, citations: (target.value || null) as Citations })
                  }
                >
                  {STYLES.map(({ value, name }) => (
                    <option key={name} value={value ?? ''}>
                      {name}
                    </option>
                  ))}
                </select>
              </label>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

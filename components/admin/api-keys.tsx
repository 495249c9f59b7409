'use client';

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, messageOf } from '../trpc-client';
import { Notice } from '../ui/notice';

type Change = Parameters<typeof api.keys.set.mutate>[0];
type Citations = Change['citations'];

const STYLES: { value: Citations; name: string }[] = [
  { value: null, name: 'By the kind of client' },
  { value: 'annotations', name: 'Annotations (OpenAI)' },
  { value: 'openwebui', name: 'Open WebUI sources' },
  { value: 'footnotes', name: 'Footnotes in the text' },
  { value: 'none', name: 'Only [n] in the text' },
];

/** The keys of IVY_API_KEYS with what is set for each. */
export function ApiKeys() {
  const client = useQueryClient();
  const keys = useQuery({ queryKey: ['keys.list'], queryFn: () => api.keys.list.query(), refetchInterval: 10_000 });
  const change = useMutation({
    mutationFn: (input: Change) => api.keys.set.mutate(input),
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
          {keys.data.map((stored) => {
            // What was just chosen shows at once, not after the server's answer.
            const key =
              change.isPending && change.variables.id === stored.id ? { ...stored, ...change.variables } : stored;
            return (
              <li key={key.id} className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 py-2">
                <span>
                  <span className="font-semibold">{key.name}</span>{' '}
                  <span className="font-mono text-xs text-muted">…{key.hint}</span>
                </span>
                <label className="flex items-center gap-2">
                  <span className="text-muted">Collections</span>
                  <input
                    className="field w-36 py-1"
                    placeholder="all"
                    title="Names separated by commas: what clients of this key may search and see"
                    defaultValue={key.collections?.join(', ') ?? ''}
                    onBlur={({ target }) => {
                      const collections = toCollections(target.value);
                      if (JSON.stringify(collections) !== JSON.stringify(key.collections)) {
                        change.mutate({ ...settingsOf(key), collections });
                      }
                    }}
                  />
                </label>
                <label className="flex items-center gap-2">
                  <input
                    type="checkbox"
                    checked={key.trustsUsers}
                    disabled={change.isPending}
                    onChange={({ target }) => change.mutate({ ...settingsOf(key), trustsUsers: target.checked })}
                  />
                  <span className="text-muted">Believe the user it names</span>
                </label>
                <label className="flex items-center gap-2">
                  <span className="text-muted">Citations</span>
                  <select
                    className="rounded border border-rule bg-paper px-2 py-1"
                    value={key.citations ?? ''}
                    disabled={change.isPending}
                    onChange={({ target }) =>
                      change.mutate({ ...settingsOf(key), citations: (target.value || null) as Citations })
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
            );
          })}
        </ul>
      )}
    </div>
  );
}

const settingsOf = ({
  id,
  citations,
  trustsUsers,
  collections,
}: Omit<Change, 'collections'> & { collections: readonly string[] | null }): Change => ({
  id,
  citations,
  trustsUsers,
  collections: collections && [...collections],
});

function toCollections(text: string): string[] | null {
  const names = text.split(',').map((name) => name.trim());
  const given = [...new Set(names.filter((name) => name !== ''))];
  return given.length > 0 ? given : null;
}

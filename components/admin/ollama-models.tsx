'use client';

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Trash2 } from 'lucide-react';
import { useState } from 'react';
import { api, messageOf } from '../trpc-client';
import { Confirm } from '../ui/confirm';
import { formatBytes } from '../ui/format';
import { Notice } from '../ui/notice';
import { Pulls } from './pulls';

/** Installed models with removal, and pulling new ones. */
export function OllamaModels() {
  const client = useQueryClient();
  const [removing, setRemoving] = useState<string | null>(null);
  const models = useQuery({
    queryKey: ['admin.models'],
    queryFn: () => api.admin.models.query(),
    refetchInterval: 10_000,
  });
  const remove = useMutation({
    mutationFn: (name: string) => api.admin.removeModel.mutate({ name }),
    onSettled: () => client.invalidateQueries(),
  });
  const installed = models.data?.ollama.models ?? [];
  return (
    <div className="space-y-5 text-sm">
      {remove.isError && <Notice tone="failure">{messageOf(remove.error)}</Notice>}
      {models.data?.ollama.error && <Notice tone="doubt">{models.data.ollama.error}</Notice>}
      {models.data && !models.data.ollama.error && installed.length === 0 && (
        <p className="text-muted">No model is installed yet.</p>
      )}
      {installed.length > 0 && (
        <ul className="divide-y divide-rule">
          {installed.map((model) => (
            <li key={model.id} className="flex flex-wrap items-center gap-x-4 gap-y-1 py-2">
              <span className="min-w-0 flex-1 basis-48 font-mono [overflow-wrap:anywhere]">{model.id}</span>
              <span className="text-muted tabular-nums">
                {[
                  model.remote !== undefined && `runs on ${model.remote}`,
                  model.sizeBytes !== undefined && formatBytes(model.sizeBytes),
                  model.parameterSize,
                  model.quantization,
                  model.capabilities.embedding && 'embedding',
                  model.capabilities.thinking && 'reasons',
                  model.capabilities.vision && 'sees images',
                ]
                  .filter(Boolean)
                  .join(' · ')}
              </span>
              <button
                type="button"
                className="button"
                aria-label={`Remove ${model.id}`}
                onClick={() => setRemoving(model.id)}
              >
                <Trash2 aria-hidden="true" size={14} /> Remove
              </button>
            </li>
          ))}
        </ul>
      )}
      <Pulls suggestions={models.data?.suggestions ?? []} installed={installed.map((model) => model.id)} />
      {removing && (
        <Confirm
          title={`Remove ${removing}?`}
          action={`Remove ${removing}`}
          onCancel={() => setRemoving(null)}
          onConfirm={() => {
            remove.mutate(removing);
            setRemoving(null);
          }}
        >
          Its files are deleted from Ollama. Pulling it again downloads them anew.
        </Confirm>
      )}
    </div>
  );
}

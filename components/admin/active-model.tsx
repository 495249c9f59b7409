'use client';

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { api, messageOf } from '../trpc-client';
import { Notice } from '../ui/notice';
import type { Overview } from './overview';

type Choice = Parameters<typeof api.admin.activate.mutate>[0];

/** Who answers: a switch is effective for the next question, without a restart. */
export function ActiveModel({ overview }: { overview: Overview }) {
  const client = useQueryClient();
  const models = useQuery({
    queryKey: ['admin.models'],
    queryFn: () => api.admin.models.query(),
    refetchInterval: 10_000,
  });
  const activate = useMutation({
    mutationFn: (choice: Choice) => api.admin.activate.mutate(choice),
    onSettled: () => client.invalidateQueries(),
  });
  const { health, choice, claudeKey } = overview;
  const chat = models.data?.ollama.models.filter((model) => !model.capabilities.embedding) ?? [];
  const here = chat.filter(({ remote }) => remote === undefined).map(({ id }) => id);
  const elsewhere = chat.filter(({ remote }) => remote !== undefined);
  const current = choice.provider === 'local' ? health.model : null;
  const currentIsRemote = elsewhere.some(({ id }) => id === current);
  const claude = models.data ? [...new Set([models.data.claudeModel, ...models.data.claude])] : [];
  const now = health.llm_provider === 'builtin' ? 'Ivy’s own quotations' : `${health.model} (${health.llm_provider})`;
  return (
    <div className="space-y-4 text-sm">
      <p>
        Questions are answered by <strong data-testid="active-model">{now}</strong>
        <span className="text-muted">
          {' '}
          · chosen: {choice.provider},{' '}
          {choice.source === 'default'
            ? 'by default'
            : `in ${choice.source === 'admin page' ? 'this page' : choice.source}`}
        </span>
      </p>
      {activate.isError && <Notice tone="failure">{messageOf(activate.error)}</Notice>}
      <ul className="divide-y divide-rule border-y border-rule">
        <Option
          name="Automatic"
          text="Ollama as soon as it has a chat model, quotations until then. Never Claude by itself."
          active={choice.provider === 'auto'}
          disabled={activate.isPending}
          onActivate={() => activate.mutate({ provider: 'auto' })}
        />
        <ModelOption
          name="Ollama"
          text="Stays on your machines."
          models={here}
          none={models.data?.ollama.error ?? 'No chat model is installed; pull one below.'}
          current={currentIsRemote ? null : current}
          disabled={activate.isPending}
          onActivate={(model) => activate.mutate({ provider: 'local', model })}
        />
        {elsewhere.length > 0 && (
          <ModelOption
            name="Ollama, elsewhere"
            text={`Questions and passages leave your machines and go to ${[...new Set(elsewhere.map(({ remote }) => remote))].join(', ')}.`}
            models={elsewhere.map(({ id }) => id)}
            none=""
            current={currentIsRemote ? current : null}
            disabled={activate.isPending}
            onActivate={(model) => activate.mutate({ provider: 'local', model })}
          />
        )}
        <ModelOption
          name="Claude"
          text="Questions and passages leave this machine and go to Anthropic."
          models={claudeKey ? claude : []}
          none="Needs ANTHROPIC_API_KEY in .env."
          current={choice.provider === 'claude' ? health.model : null}
          disabled={activate.isPending}
          onActivate={(model) => activate.mutate({ provider: 'claude', model })}
        />
        <Option
          name="Quotations only"
          text="No language model: the best passages, word for word."
          active={choice.provider === 'builtin'}
          disabled={activate.isPending}
          onActivate={() => activate.mutate({ provider: 'builtin' })}
        />
      </ul>
    </div>
  );
}

interface OptionProps {
  name: string;
  text: string;
  active: boolean;
  disabled: boolean;
  onActivate(): void;
  children?: ReactNode;
}

function Option({ name, text, active, disabled, onActivate, children }: OptionProps) {
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 py-3">
      <div className="min-w-0 flex-1 basis-64">
        <p className="font-semibold">{name}</p>
        <p className="text-muted">{text}</p>
      </div>
      {children}
      {active ? (
        <span className="min-w-24 font-semibold sm:text-center text-ivy">Active</span>
      ) : (
        <button
          type="button"
          className="button min-w-24"
          disabled={disabled}
          onClick={onActivate}
          aria-label={`Use ${name}`}
        >
          Use
        </button>
      )}
    </li>
  );
}

interface ModelOptionProps extends Omit<OptionProps, 'active' | 'onActivate' | 'children'> {
  models: readonly string[];
  /** Why there is nothing to choose. */
  none: string;
  current: string | null;
  onActivate(model: string): void;
}

function ModelOption({ models, none, current, onActivate, ...rest }: ModelOptionProps) {
  const [picked, setPicked] = useState<string | null>(null);
  const selected = picked ?? current ?? models[0] ?? '';
  if (models.length === 0) {
    return <Option {...rest} text={`${rest.text} ${none}`} disabled active={current !== null} onActivate={() => {}} />;
  }
  return (
    <Option {...rest} active={current !== null && selected === current} onActivate={() => onActivate(selected)}>
      <select
        aria-label={`${rest.name} model`}
        className="field max-w-64"
        value={selected}
        onChange={(event) => setPicked(event.target.value)}
      >
        {(models.includes(selected) ? models : [selected, ...models]).map((model) => (
          <option key={model}>{model}</option>
        ))}
      </select>
    </Option>
  );
}

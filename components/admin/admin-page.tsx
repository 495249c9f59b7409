'use client';

import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { api, messageOf } from '../trpc-client';
import { Notice } from '../ui/notice';
import { Shell } from '../ui/shell';
import { ActiveModel } from './active-model';
import { ApiKeys } from './api-keys';
import { ConnectOpenWebUi } from './connect-open-webui';
import { Dependencies } from './dependencies';
import { Documents } from './documents';
import { Evaluation } from './evaluation';
import { OllamaModels } from './ollama-models';
import { Runs } from './runs';
import { Usage } from './usage';

/** State of everything, the model that answers, the models of Ollama, and the documents. */
export function AdminPage() {
  const overview = useQuery({
    queryKey: ['admin.overview'],
    queryFn: () => api.admin.overview.query(),
    refetchInterval: 4_000,
  });
  return (
    <Shell>
      <div className="max-w-4xl space-y-10 py-6">
        <h1 className="text-xl font-semibold">Admin</h1>
        {overview.isError && <Notice tone="failure">{messageOf(overview.error)}</Notice>}
        {overview.data?.problems.map((problem) => (
          <Notice key={problem.variable} tone="failure">
            An edit of .env was not taken over, the earlier configuration goes on: {problem.message}.
          </Notice>
        ))}
        {overview.data && overview.data.unknownVariables.length > 0 && (
          <Notice tone="info">
            Without effect in .env, as Ivy knows no such variable: {overview.data.unknownVariables.join(', ')}.
          </Notice>
        )}
        {overview.data?.promptProblems.map((problem) => (
          <Notice key={problem} tone="failure">
            {problem} Answers of this model are not based on your documents; choose another one.
          </Notice>
        ))}
        {overview.data?.autoChange && (
          <Notice tone="info">
            {overview.data.autoChange.before} is gone from Ollama; {overview.data.autoChange.model} answers since{' '}
            {new Date(overview.data.autoChange.at).toLocaleString()}.
          </Notice>
        )}
        {overview.data && overview.data.health.components.knowledge_base.rereading > 0 && (
          <Notice tone="info">
            {overview.data.health.components.knowledge_base.rereading} documents are read again after the update. They
            can be searched meanwhile, as they were read before.
          </Notice>
        )}
        {overview.data && overview.data.leftInDropFolder.length > 0 && (
          <Notice tone="doubt">
            Left in the drop folder:{' '}
            {overview.data.leftInDropFolder.map(({ name, reason }) => `${name} (${reason})`).join('; ')}.
          </Notice>
        )}
        <Section id="dependencies" title="State">
          {overview.data ? <Dependencies health={overview.data.health} /> : <Loading />}
        </Section>
        <Section id="model" title="Answering model">
          {overview.data ? <ActiveModel overview={overview.data} /> : <Loading />}
        </Section>
        <Section id="ollama" title="Ollama models">
          <OllamaModels />
        </Section>
        <Section id="documents" title="Documents">
          <Documents />
        </Section>
        <Section id="open-webui" title="Connect Open WebUI">
          <ConnectOpenWebUi />
        </Section>
        <Section id="keys" title="API keys">
          <ApiKeys />
        </Section>
        <Section id="runs" title="Questions and answers">
          <Runs />
        </Section>
        <Section id="evaluation" title="Quality of the search">
          <Evaluation />
        </Section>
        <Section id="usage" title="Usage">
          <Usage />
        </Section>
      </div>
    </Shell>
  );
}

function Section({ id, title, children }: { id: string; title: string; children: ReactNode }) {
  return (
    <section aria-labelledby={`${id}-title`} id={id} className="scroll-mt-16">
      <h2 id={`${id}-title`} className="mb-3 border-b border-rule pb-1 font-semibold">
        {title}
      </h2>
      {children}
    </section>
  );
}

function Loading() {
  return <p className="text-sm text-muted">Loading…</p>;
}

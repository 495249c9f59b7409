'use client';

import { useQuery } from '@tanstack/react-query';
import { Check, Copy } from 'lucide-react';
import { useState } from 'react';
import { api } from '../trpc-client';

const HEADERS = { 'X-OpenWebUI-Task': '{{TASK}}', 'X-OpenWebUI-Chat-Id': '{{CHAT_ID}}' };

/** What to paste into Open WebUI, and whether its requests arrive as they should. */
export function ConnectOpenWebUi() {
  const connection = useQuery({
    queryKey: ['admin.connection'],
    queryFn: () => api.admin.connection.query(),
    refetchInterval: 4_000,
  });
  if (!connection.data) return null;
  const { url, keyRequired, lastSeen } = connection.data;
  const environment = [
    `OPENAI_API_BASE_URLS=${url}/v1`,
    `OPENAI_API_KEYS=${keyRequired ? '<a key of IVY_API_KEYS>' : 'not-needed'}`,
    `OPENAI_API_CONFIGS='${JSON.stringify({ 0: { headers: HEADERS } })}'`,
    'ENABLE_PERSISTENT_CONFIG=False',
  ].join('\n');
  return (
    <div className="space-y-4 text-sm">
      <p>
        Start Open WebUI with these variables, or enter the address, key and headers in its{' '}
        <em>Admin Settings → Connections</em>. Sources, pages and scores then appear as its own; no plugin is needed.
      </p>
      <Copyable label="Environment of Open WebUI" text={environment} />
      <Copyable label="Headers of the connection" text={JSON.stringify(HEADERS, null, 2)} />
      <p className="text-muted">
        The headers tell its chores (titles, tags) from questions, so that they are not searched for and wait behind
        them. In a container, put the address that reaches this machine in place of {new URL(url).host}.
      </p>
      <p data-testid="open-webui-seen">
        {lastSeen ? (
          <>
            Last request from Open WebUI: {new Date(lastSeen.at).toLocaleString()}.{' '}
            {lastSeen.headers
              ? 'Its headers arrive.'
              : 'Its headers do not arrive: chores are recognised by their wording only.'}
          </>
        ) : (
          'No request from Open WebUI since Ivy started.'
        )}
      </p>
    </div>
  );
}

function Copyable({ label, text }: { label: string; text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2_000);
  };
  return (
    <div>
      <div className="flex items-center justify-between">
        <span className="font-semibold">{label}</span>
        <button type="button" className="button" onClick={() => void copy().catch(() => {})}>
          {copied ? <Check aria-hidden="true" size={14} /> : <Copy aria-hidden="true" size={14} />}{' '}
          {copied ? 'Copied' : 'Copy'}
        </button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reachable by keyboard */}
      <pre tabIndex={0} className="mt-1 overflow-x-auto rounded border border-rule p-3 font-mono text-xs">
        {text}
      </pre>
    </div>
  );
}

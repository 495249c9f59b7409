import type { Overview } from './overview';

const STATES = {
  ok: { word: 'OK', dot: 'bg-ivy' },
  down: { word: 'Down', dot: 'bg-red' },
  off: { word: 'Not used', dot: 'bg-rule' },
};

/** How far the search by meaning is. */
function meaning({ state, model, documents, total }: Overview['health']['components']['knowledge_base']['vectors']) {
  switch (state) {
    case 'off':
      return 'searched by words';
    case 'building':
      return `vectors (${model}): ${documents} of ${total} documents`;
    case 'ready':
      return `vectors: ${model}`;
    case 'failing':
      return 'the embedding model cannot be reached';
    default:
      return state satisfies never;
  }
}

/** Every dependency with its state, latency and what to do when it is not well. */
export function Dependencies({ health }: { health: Overview['health'] }) {
  const { ollama, claude, knowledge_agent: agent, knowledge_base: base, configuration, prompt } = health.components;
  const rows = [
    { name: 'Ollama', at: ollama.url, component: ollama, note: ollama.version ? `version ${ollama.version}` : null },
    { name: 'Claude', at: null, component: claude, note: null },
    { name: 'Knowledge agent', at: health.knowledge_agent_url, component: agent, note: null },
    {
      name: 'Knowledge base',
      at: base.place === 'data folder' ? null : `Qdrant, ${base.place}`,
      component: base,
      note: `${base.documents.ready} documents, ${base.passages} passages, ${meaning(base.vectors)}`,
    },
    { name: 'Configuration', at: null, component: configuration, note: null },
    { name: 'Prompts', at: null, component: prompt, note: 'read by the models as they were sent' },
  ];
  return (
    <ul className="divide-y divide-rule text-sm">
      {rows.map(({ name, at, component, note }) => (
        <li key={name} className="grid grid-cols-[9rem_6rem_minmax(0,1fr)] gap-x-4 py-2 max-sm:grid-cols-[1fr_auto]">
          <span className="font-semibold">{name}</span>
          <span className="flex items-baseline gap-2">
            <span aria-hidden="true" className={`size-2 rounded-full ${STATES[component.state].dot}`} />
            {STATES[component.state].word}
          </span>
          <span className="min-w-0 text-muted max-sm:col-span-2">
            {component.detail ??
              [note, component.latency_ms !== null && `${component.latency_ms} ms`].filter(Boolean).join(' · ')}
            {at && <span className="block font-mono text-xs [overflow-wrap:anywhere]">{at}</span>}
          </span>
        </li>
      ))}
    </ul>
  );
}

// What the benchmarks of retrieval ask of a running Ivy.
const UPLOADS_AT_ONCE = 8;

/** Uploads `[name, content]` pairs, several at once. */
export async function uploadAll(ivy, documents) {
  const iterator = documents[Symbol.iterator]();
  const worker = async () => {
    for (const [name, content] of iterator) {
      const form = new FormData();
      form.append('file', new Blob([content]), name);
      const response = await fetch(`${ivy.url}/documents`, { method: 'POST', body: form });
      if (response.status > 202) throw new Error(`${name}: HTTP ${response.status} ${await response.text()}`);
      await response.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: UPLOADS_AT_ONCE }, worker));
}

/**
 * Waits until everything is ingested, and with `vectors` until all of it has vectors of the model; answers how many
 * passages there are. Throws when a document failed that should not.
 */
export async function settled(ivy, { vectors = true, model = undefined } = {}) {
  for (;;) {
    const { components } = await (await fetch(`${ivy.url}/health`)).json();
    const { documents, passages, vectors: state } = components.knowledge_base;
    const waiting = documents.queued + documents.parsing + documents.indexing;
    const ready = state.state === 'ready' && state.documents >= state.total && state.model === model;
    if (waiting === 0 && (!vectors || model === undefined || ready)) return passages;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

export async function query(ivy, body) {
  const response = await fetch(`${ivy.url}/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`/query: HTTP ${response.status} ${await response.text()}`);
  return response.json();
}

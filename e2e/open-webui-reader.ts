/**
 * Reads an answer as Open WebUI 0.11 does (utils/middleware.py, socket/main.py, Citations.svelte,
 * ContentRenderer.svelte) and keeps what it would save in the chat.
 */
export interface SavedMessage {
  content: string;
  reasoning: string;
  sources: Source[];
  statuses: { action?: string; description?: string; query?: string; count?: number; done?: boolean }[];
  usage: Record<string, number> | undefined;
  error: { message?: string } | undefined;
  toolCalls: { index: number; id: string; function: { name: string; arguments: string } }[];
  /** Types of events that it would forward to the browser. */
  forwarded: string[];
  /** Bytes of the longest line: at 128 KiB its HTTP library gives up. */
  longestLine: number;
}

export interface Source {
  source: { id?: string; name: string; url?: string };
  document: string[];
  metadata: { source: string; name?: string; page?: number }[];
  distances?: number[];
}

export async function readAsOpenWebUi(response: Response): Promise<SavedMessage> {
  const message: SavedMessage = {
    content: '',
    reasoning: '',
    sources: [],
    statuses: [],
    usage: undefined,
    error: undefined,
    toolCalls: [],
    forwarded: [],
    longestLine: 0,
  };
  const type = response.headers.get('content-type') ?? '';
  if (!type.includes('text/event-stream')) {
    // An error before the stream: shown only when it is JSON of this form.
    const body = type.includes('json') ? ((await response.json()) as { error?: { message: string } }) : {};
    message.error = body.error;
    return message;
  }
  for (const line of (await response.text()).split('\n')) {
    message.longestLine = Math.max(message.longestLine, Buffer.byteLength(line));
    if (!line.startsWith('data:')) continue;
    const data = line.slice(5).trim();
    if (data !== '[DONE]') readChunk(JSON.parse(data), message);
  }
  return message;
}

// biome-ignore lint/suspicious/noExplicitAny: it reads whatever keys are there, as the original does
function readChunk(data: any, message: SavedMessage): void {
  if ('event' in data) readEvent(data.event, message);
  // Usage is added up over chunks; `"timings": null` would lose the chunk.
  const usage = { ...(data.usage ?? {}) };
  if ('timings' in data) Object.assign(usage, data.timings);
  for (const [key, value] of Object.entries(usage)) {
    if (typeof value !== 'number') continue;
    message.usage ??= {};
    message.usage[key] = (message.usage[key] ?? 0) + value;
  }
  const choice = data.choices?.[0];
  if (!choice) {
    if (data.error) {
      // A bare string breaks its error handler.
      if (typeof data.error === 'string') throw new Error('error is a string');
      message.error = data.error;
    }
    return;
  }
  const { delta } = choice;
  for (const { type, url_citation: citation } of delta.annotations ?? []) {
    if (type !== 'url_citation') continue;
    const { url, title } = citation;
    readEvent(
      {
        type: 'source',
        data: { source: { name: title, url }, document: [title], metadata: [{ source: url, name: title }] },
      },
      message,
    );
  }
  for (const call of delta.tool_calls ?? []) {
    if (call.index === undefined || call.index === null) continue;
    const known = message.toolCalls.find(({ index }) => index === call.index);
    if (known) known.function.arguments += call.function?.arguments ?? '';
    else message.toolCalls.push(structuredClone(call));
  }
  message.content += delta.content ?? '';
  message.reasoning += delta.reasoning_content ?? delta.reasoning ?? delta.thinking ?? '';
}

function readEvent(event: { type: string; data: object }, message: SavedMessage): void {
  message.forwarded.push(event.type);
  if (event.type === 'status') message.statuses.push(event.data);
  if (event.type === 'source' || event.type === 'citation') message.sources.push(event.data as Source);
}

/** What the reader sees when clicking `[n]`: from the list it opens, and as the label in the text. */
export function citation(
  n: number,
  sources: readonly Source[],
): { listed: Source | undefined; label: string | undefined } {
  const listed = new Map<string, Source>();
  const names = new Set<string>();
  for (const source of sources) {
    for (const { source: id, name } of source.metadata) {
      const shown = id.startsWith('http') ? id : (name ?? source.source.name);
      if (!listed.has(id)) listed.set(id, source);
      names.add(shown);
    }
  }
  return { listed: [...listed.values()][n - 1], label: [...names][n - 1] };
}

/** How it shows a score: all of them within [-1, 1] become coloured percentages. */
export function percentage(source: Source | undefined): string | undefined {
  const distance = source?.distances?.[0];
  return distance !== undefined && distance >= -1 && distance <= 1 ? `${(distance * 100).toFixed(2)}%` : undefined;
}

import { Ollama } from 'ollama/browser';
import { AppError } from '../core/errors';
import { createServiceFetch } from '../net/http';
import { NdjsonWire } from '../net/ndjson';
import { toOllamaError } from './ollama-errors';

/** Progress of one pull, summed over all layers. */
export interface PullProgress {
  /** Ollama's own word for the stage: `pulling manifest`, `verifying sha256 digest`, … */
  status: string;
  completedBytes: number;
  totalBytes: number;
}

/** Names of Ollama's own registry only: no URL, no foreign host, no path tricks. */
const MODEL_NAME = /^[a-z0-9][\w.-]*(\/[a-z0-9][\w.-]*)?(:[\w.-]+)?$/i;

export function checkModelName(name: string): string {
  const trimmed = name.trim();
  const [host, ...rest] = trimmed.split('/');
  const foreign = rest.length > 0 && host?.includes('.');
  if (trimmed.length > 200 || !MODEL_NAME.test(trimmed) || trimmed.includes('..') || foreign) {
    throw new AppError('invalid_request', 'This is not a model name such as llama3.2 or qwen2.5:7b.', {
      param: 'name',
    });
  }
  return trimmed;
}

/** Managing the models of one Ollama; apart from `ChatProvider`, which only answers. */
export class OllamaModels {
  constructor(private readonly baseUrl: string) {}

  async version(signal: AbortSignal): Promise<string> {
    return this.short(signal, async (client) => (await client.version()).version);
  }

  async remove(name: string, signal: AbortSignal): Promise<void> {
    await this.short(signal, (client) => client.delete({ model: name }));
  }

  /** Ends after `success`; throws what Ollama reports. Closing the signal leaves finished layers for a later pull. */
  async *pull(name: string, signal: AbortSignal): AsyncIterable<PullProgress> {
    const wire = new NdjsonWire({
      service: 'Ollama',
      signal,
      firstByteMs: 60_000,
      idleMs: 300_000,
      maxLineBytes: 64 * 1024,
    });
    const layers = new Map<string, { total: number; completed: number }>();
    try {
      const parts = await new Ollama({ host: this.baseUrl, fetch: wire.fetch }).pull({ model: name, stream: true });
      for await (const part of parts) {
        // `completed` is left out while it is 0.
        if (part.digest) layers.set(part.digest, { total: part.total ?? 0, completed: part.completed ?? 0 });
        const sums = { completedBytes: 0, totalBytes: 0 };
        for (const layer of layers.values()) {
          sums.completedBytes += layer.completed;
          sums.totalBytes += layer.total;
        }
        yield { status: part.status.slice(0, 200), ...sums };
      }
    } catch (error) {
      throw toOllamaError(error, signal);
    } finally {
      wire.close();
    }
  }

  private async short<T>(signal: AbortSignal, call: (client: Ollama) => Promise<T>): Promise<T> {
    const fetch = createServiceFetch({ service: 'Ollama', totalMs: 10_000, maxBytes: 1024 * 1024, signal });
    try {
      return await call(new Ollama({ host: this.baseUrl, fetch }));
    } catch (error) {
      throw toOllamaError(error, signal);
    }
  }
}

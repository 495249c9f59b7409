import { AppError, toAppError } from '../core/errors';
import type { DocumentStatus } from '../core/knowledge';
import { redactUrl } from '../net/http';
import type { Services } from './services';

export interface ComponentHealth {
  state: 'ok' | 'down' | 'off';
  latency_ms: number | null;
  /** What is wrong and what to do; null when all is well. */
  detail: string | null;
}

/** The answer of `/health`; it holds no secret. */
export interface Health {
  status: 'healthy' | 'degraded' | 'unhealthy';
  llm_provider: 'local' | 'claude' | 'builtin';
  model: string | null;
  knowledge_agent_url: string | null;
  components: {
    ollama: ComponentHealth & { url: string; version: string | null };
    claude: ComponentHealth;
    knowledge_agent: ComponentHealth;
    knowledge_base: ComponentHealth & {
      documents: Record<DocumentStatus, number>;
      passages: number;
      /** Documents that are read again after an update; they are searched meanwhile. */
      rereading: number;
      /** Where passages are kept, or are being moved to. */
      place: string;
      /** Search by meaning: the model, and how many documents have their vectors. */
      vectors: Services['knowledge']['vectors'];
    };
    configuration: ComponentHealth;
    /** Whether the models read the passages that they are sent, as far as their counts tell. */
    prompt: ComponentHealth;
  };
}

const PROBE_MS = 2_000;

/** Asks every dependency once, in parallel, each within two seconds. */
export async function checkHealth(services: Services): Promise<Health> {
  const { config, providers, ollamaModels, agent } = services.snapshot;
  const signal = AbortSignal.timeout(PROBE_MS);
  const [ollama, claude, knowledgeAgent, passages, documents, rereading] = await Promise.all([
    probe(() => ollamaModels.version(signal)),
    providers.active === 'claude' ? probe(() => withDeadline(claudeModels(providers))) : undefined,
    agent ? probe(async () => agentState(await agent.healthy(signal))) : undefined,
    probe(() => withDeadline(services.knowledge.passageCount())),
    probe(() => services.knowledge.counts()),
    probe(() => services.knowledge.rereading()),
  ]);
  const problems = services.config.problems.map((problem) => problem.message);
  const components: Health['components'] = {
    ollama: { ...ollama.health, url: redactUrl(config.ollama.baseUrl), version: ollama.value ?? null },
    claude:
      claude?.health ?? off(providers.anthropic ? 'A key is set, but Claude is not chosen.' : 'No API key is set.'),
    knowledge_agent: knowledgeAgent?.health ?? off('The embedded knowledge base is used.'),
    knowledge_base: {
      ...(documents.health.state === 'ok' ? passages.health : documents.health),
      documents: documents.value ?? { queued: 0, parsing: 0, indexing: 0, ready: 0, failed: 0 },
      passages: passages.value ?? 0,
      rereading: rereading.value ?? 0,
      place: config.qdrant ? redactUrl(config.qdrant.url) : 'data folder',
      vectors: services.knowledge.vectors,
    },
    configuration: {
      state: problems.length === 0 ? 'ok' : 'down',
      latency_ms: null,
      detail: problems.length === 0 ? null : `An edit was not taken over: ${problems.join(' ')}`,
    },
    prompt: {
      state: services.prompts.problems.length === 0 ? 'ok' : 'down',
      latency_ms: null,
      detail: services.prompts.problems.join(' ') || null,
    },
  };
  const used = {
    local: components.ollama,
    claude: claude?.health ?? { ...off(''), state: 'down' as const },
    builtin: null,
  }[providers.active];
  // `auto` without any model works, but not as meant.
  const target =
    ollama.health.state === 'ok' && providers.active === 'local'
      ? await probe(() => providers.activeTarget())
      : undefined;
  if (target?.health.state === 'down') components.ollama.detail = target.health.detail;
  const modelMissing =
    (providers.active === 'builtin' && config.llmProvider !== 'builtin') || target?.health.state === 'down';
  const parts = [
    used?.state,
    knowledgeAgent?.health.state,
    passages.health.state,
    components.configuration.state,
    components.prompt.state,
  ];
  const wanting = parts.includes('down');
  return {
    status: documents.health.state === 'down' ? 'unhealthy' : wanting || modelMissing ? 'degraded' : 'healthy',
    llm_provider: providers.active,
    model: providers.activeModelName,
    knowledge_agent_url: config.knowledgeAgent.url ? redactUrl(config.knowledgeAgent.url) : null,
    components,
  };
}

async function probe<T>(ask: () => Promise<T>): Promise<{ health: ComponentHealth; value: T | undefined }> {
  const started = performance.now();
  try {
    const value = await ask();
    const latency = Math.round((performance.now() - started) * 10) / 10;
    return { health: { state: 'ok', latency_ms: latency, detail: null }, value };
  } catch (error) {
    const failure = toAppError(error);
    const detail = failure.code === 'internal_error' ? 'It did not answer within 2 s.' : failure.message;
    return { health: { state: 'down', latency_ms: null, detail }, value: undefined };
  }
}

async function claudeModels({ anthropic }: { anthropic?: { models(): Promise<unknown> } }): Promise<unknown> {
  if (!anthropic)
    throw new AppError('provider_auth', 'Claude is chosen but no API key is set. Set ANTHROPIC_API_KEY in .env.');
  return anthropic.models();
}

async function withDeadline<T>(promise: Promise<T> | undefined): Promise<T | undefined> {
  const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Error('late')), PROBE_MS).unref());
  return Promise.race([promise, late]);
}

function agentState(healthy: boolean): true {
  if (!healthy) throw new AppError('upstream_error', 'The knowledge agent answers, but says that it is not well.');
  return true;
}

function off(detail: string): ComponentHealth {
  return { state: 'off', latency_ms: null, detail };
}

import type { ChatProvider, ModelInfo } from '../core/chat';
import type { EmbeddingProvider } from '../core/embedding';
import { AppError } from '../core/errors';
import { within } from '../lib/async';
import { AnthropicProvider } from './anthropic';
import { BuiltinProvider } from './builtin';
import { OllamaProvider } from './ollama';

/** The part of the configuration that decides who answers. */
export interface ProviderSettings {
  llmProvider: 'auto' | 'local' | 'claude' | 'builtin';
  ollama: { baseUrl: string; model: string | undefined; contextLength: number };
  anthropic: { apiKey: string | undefined; model: string; baseUrl: string | undefined };
}

export type ActiveProvider = 'local' | 'claude' | 'builtin';

/** A provider and one of its models, ready to answer. */
export interface Target {
  provider: ChatProvider;
  model: ModelInfo;
}

export interface ListedModel {
  /** `ollama/llama3.1:8b`, `anthropic/claude-…`: what a client sends to reach it without retrieval. */
  id: string;
  model: ModelInfo;
}

const DEFAULT_OLLAMA_MODEL = 'llama3.1';
/** `/v1/models` answers within a second even when a provider hangs. */
const LIST_WAIT_MS = 900;
/** Start and configuration changes wait this long for Ollama's first word. */
const RESOLVE_WAIT_MS = 1_500;

/** The providers of one configuration revision and the choice among them. */
export class ProviderRegistry {
  readonly ollama: OllamaProvider;
  readonly anthropic: AnthropicProvider | undefined;
  readonly builtin = new BuiltinProvider();
  private current: ActiveProvider;
  private lastKnown: { ollama: readonly ModelInfo[]; anthropic: readonly ModelInfo[] } = { ollama: [], anthropic: [] };

  /** `previous` is the registry of the configuration before: what it had found out goes on. */
  constructor(
    private readonly settings: ProviderSettings,
    previous?: ProviderRegistry,
  ) {
    this.ollama = new OllamaProvider({
      baseUrl: settings.ollama.baseUrl,
      contextLength: settings.ollama.contextLength,
    });
    this.anthropic = settings.anthropic.apiKey
      ? new AnthropicProvider({ apiKey: settings.anthropic.apiKey, baseUrl: settings.anthropic.baseUrl })
      : undefined;
    const sameOllama = previous?.settings.ollama.baseUrl === settings.ollama.baseUrl;
    if (previous && sameOllama) this.lastKnown.ollama = previous.lastKnown.ollama;
    // Once local, an outage is an error: an unrelated change does not fall back to quotations.
    const stillLocal = sameOllama && previous?.settings.llmProvider === 'auto' && previous.current === 'local';
    if (settings.llmProvider !== 'auto') this.current = settings.llmProvider;
    else this.current = stillLocal ? 'local' : 'builtin';
  }

  /** Who answers now; `auto` stands resolved. */
  get active(): ActiveProvider {
    return this.current;
  }

  /**
   * Under `auto`, moves from builtin to local once Ollama answers and has a chat model. Never to
   * Claude, and never back: an outage of a local model is an error, not another provider.
   * True when the answer changed.
   */
  async resolveAuto(): Promise<boolean> {
    if (this.settings.llmProvider !== 'auto' || this.current === 'local') return false;
    const models = await within(
      RESOLVE_WAIT_MS,
      this.ollama.models().catch(() => []),
    );
    if (!models?.some((model) => !model.capabilities.embedding)) return false;
    this.lastKnown.ollama = models;
    this.current = 'local';
    return true;
  }

  /** The active provider with its model; throws what is missing and how to get it. */
  async activeTarget(): Promise<Target> {
    switch (this.current) {
      case 'builtin':
        return this.builtinTarget();
      case 'claude':
        return this.anthropicTarget(this.settings.anthropic.model);
      case 'local':
        return this.ollamaTarget();
      default:
        return this.current satisfies never;
    }
  }

  /** The name of the active model as far as it is known without asking anyone; null for builtin. */
  get activeModelName(): string | null {
    if (this.current === 'builtin') return null;
    if (this.current === 'claude') return this.settings.anthropic.model;
    return this.pickOllama(this.lastKnown.ollama)?.id ?? this.settings.ollama.model ?? DEFAULT_OLLAMA_MODEL;
  }

  /** Resolves an id from `list()`; undefined when there is no such model. */
  async find(id: string): Promise<Target | undefined> {
    const [prefix, name] = splitId(id);
    if (prefix === 'ollama') {
      const model = matchModel(await this.ollama.models(), name);
      return model && { provider: this.ollama, model };
    }
    if (prefix === 'anthropic' && this.anthropic && this.current === 'claude') {
      const model = (await this.anthropic.models()).find((candidate) => candidate.id === name);
      return model && { provider: this.anthropic, model };
    }
    return undefined;
  }

  /** An embedding model of `ollama/…`; throws what is wrong with any other id. */
  async findEmbedding(id: string): Promise<{ provider: EmbeddingProvider; model: string }> {
    const [prefix, name] = splitId(id);
    const model = prefix === 'ollama' ? matchModel(await this.ollama.models(), name) : undefined;
    if (!model) {
      throw new AppError(
        'model_not_found',
        `There is no embedding model ${id}. Pull one, such as nomic-embed-text, and ask for ollama/nomic-embed-text.`,
        {
          param: 'model',
        },
      );
    }
    if (!model.capabilities.embedding) {
      throw new AppError('invalid_request', `${id} answers questions; it makes no embeddings.`, { param: 'model' });
    }
    return { provider: this.ollama, model: model.id };
  }

  /** Every provider model that can chat; Claude's only while it is chosen. A provider that is down keeps its last known list. */
  async list(): Promise<ListedModel[]> {
    const [ollama, anthropic] = await Promise.all([
      within(
        LIST_WAIT_MS,
        this.ollama.models().catch(() => undefined),
      ),
      // A key alone sends nothing out, not even the question which models there are.
      this.current === 'claude' &&
        this.anthropic &&
        within(
          LIST_WAIT_MS,
          this.anthropic.models().catch(() => undefined),
        ),
    ]);
    if (ollama) this.lastKnown.ollama = ollama;
    if (anthropic) this.lastKnown.anthropic = anthropic;
    return [
      ...this.lastKnown.ollama.map((model) => ({ id: `ollama/${model.id}`, model })),
      ...this.lastKnown.anthropic.map((model) => ({ id: `anthropic/${model.id}`, model })),
    ].filter(({ model }) => !model.capabilities.embedding);
  }

  private async builtinTarget(): Promise<Target> {
    const [model] = await this.builtin.models();
    if (!model) throw new AppError('internal_error', 'The built-in provider has no model.');
    return { provider: this.builtin, model };
  }

  private async anthropicTarget(name: string): Promise<Target> {
    if (!this.anthropic) {
      throw new AppError('provider_auth', 'Claude is chosen but no API key is set. Set ANTHROPIC_API_KEY in .env.');
    }
    const models = await this.anthropic.models().catch(() => this.lastKnown.anthropic);
    const model = models.find((candidate) => candidate.id === name) ?? unknownClaude(name);
    return { provider: this.anthropic, model };
  }

  private async ollamaTarget(): Promise<Target> {
    const models = await this.ollama.models();
    this.lastKnown.ollama = models;
    const model = this.pickOllama(models);
    if (!model) {
      const wanted = this.settings.ollama.model ?? DEFAULT_OLLAMA_MODEL;
      throw new AppError(
        'model_not_found',
        `The model ${wanted} is not installed in Ollama. Pull it on the admin page or with: ollama pull ${wanted}`,
        { param: 'model' },
      );
    }
    return { provider: this.ollama, model };
  }

  /** The configured model; without one the default, and under `auto` else the first that can chat. */
  private pickOllama(models: readonly ModelInfo[]): ModelInfo | undefined {
    const { ollama, llmProvider } = this.settings;
    if (ollama.model) return matchModel(models, ollama.model);
    const fallback = llmProvider === 'auto' ? models.find((model) => !model.capabilities.embedding) : undefined;
    return matchModel(models, DEFAULT_OLLAMA_MODEL) ?? fallback;
  }
}

/** `x` also matches `x:latest`. */
export function matchModel(models: readonly ModelInfo[], name: string): ModelInfo | undefined {
  return models.find((model) => model.id === name) ?? models.find((model) => model.id === `${name}:latest`);
}

function splitId(id: string): [string, string] {
  const slash = id.indexOf('/');
  return slash < 0 ? ['', id] : [id.slice(0, slash), id.slice(slash + 1)];
}

/** A model that the list does not show (an alias, a gateway): usable, with limits left to the API. */
function unknownClaude(id: string): ModelInfo {
  return {
    id,
    contextLength: undefined,
    capabilities: { vision: true, tools: true, thinking: true, embedding: false },
  };
}

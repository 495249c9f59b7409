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
  /** Under `auto`, the model that was chosen first: it stays until it is gone, whatever is installed later. */
  private autoModel: string | undefined;
  /** Called when the automatic choice falls on a model; `before` is gone then. */
  onAutoModel: ((model: string, before: string | undefined) => void) | undefined;
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
    this.onAutoModel = previous?.onAutoModel;
    if (previous && sameOllama) {
      this.lastKnown.ollama = previous.lastKnown.ollama;
      this.autoModel = previous.autoModel;
    }
    // Once local, an outage is an error: an unrelated change does not fall back to quotations.
    const stillLocal = sameOllama && previous?.settings.llmProvider === 'auto' && previous.current === 'local';
    if (settings.llmProvider !== 'auto') this.current = settings.llmProvider;
    else this.current = stillLocal ? 'local' : 'builtin';
  }

  /** What `auto` chose before this process started. */
  preferAuto(model: string | undefined): void {
    this.autoModel ??= model;
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
    if (!models?.some(answersHere)) return false;
    this.lastKnown.ollama = models;
    this.pickOllama(models);
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
      const models = await this.ollama.models();
      const model = matchModel(models, name);
      if (model?.remote && !this.remoteChosen(models)) {
        throw new AppError(
          'permission_denied',
          `${name} runs on ${model.remote}, not here. Choose such a model on the admin page first: questions then leave your machines.`,
          { param: 'model' },
        );
      }
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
      ...this.lastKnown.ollama
        .filter(({ remote }) => remote === undefined || this.remoteChosen(this.lastKnown.ollama))
        .map((model) => ({ id: `ollama/${model.id}`, model })),
      ...this.lastKnown.anthropic.map((model) => ({ id: `anthropic/${model.id}`, model })),
    ].filter(({ model }) => !model.capabilities.embedding);
  }

  /** A local model for what nobody chose a model for: chores of clients. Undefined when there is none. */
  async localTarget(): Promise<Target | undefined> {
    const model = (await this.ollama.models().catch(() => [])).find(answersHere);
    return model && { provider: this.ollama, model };
  }

  /** True when the model that was chosen runs elsewhere: then such models are used and listed. */
  private remoteChosen(models: readonly ModelInfo[]): boolean {
    const { model } = this.settings.ollama;
    return model !== undefined && this.current === 'local' && matchModel(models, model)?.remote !== undefined;
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

  /**
   * The configured model; without one the default, and under `auto` the one that was chosen first, else the first
   * that can chat. A model that runs elsewhere is never chosen by itself.
   */
  private pickOllama(models: readonly ModelInfo[]): ModelInfo | undefined {
    const { ollama, llmProvider } = this.settings;
    if (ollama.model) return matchModel(models, ollama.model);
    const here = models.filter(answersHere);
    if (llmProvider !== 'auto') return matchModel(here, DEFAULT_OLLAMA_MODEL);
    const before = this.autoModel;
    const stays = before === undefined ? undefined : here.find(({ id }) => id === before);
    const model = stays ?? matchModel(here, DEFAULT_OLLAMA_MODEL) ?? here[0];
    if (model && model.id !== before) {
      this.autoModel = model.id;
      this.onAutoModel?.(model.id, before);
    }
    return model;
  }
}

const answersHere = ({ capabilities, remote }: ModelInfo) => !capabilities.embedding && remote === undefined;

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

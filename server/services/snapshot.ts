import type { Config } from '../config/schema';
import { AppError } from '../core/errors';
import type { CitedPassage, Retriever } from '../core/knowledge';
import type { Orchestrator, RunRequest } from '../core/run';
import { KnowledgeAgent } from '../knowledge/agent';
import { createModelEmbedder, type Embedder } from '../knowledge/embedded/embedder';
import type { KnowledgeBase } from '../knowledge/embedded/knowledge-base';
import { RerankService } from '../knowledge/rerank-service';
import { shortDigest } from '../lib/ids';
import { log } from '../lib/log';
import { createAnswer } from '../orchestrate/answer';
import { Rewriter } from '../orchestrate/rewrite';
import { TokenRatios } from '../orchestrate/tokens';
import { OllamaModels } from '../providers/ollama-models';
import { OpenAiEmbeddings } from '../providers/openai-embeddings';
import { ProviderRegistry } from '../providers/registry';
import type { EvidenceRepository } from '../store/evidence';
import type { MarkerRepository } from '../store/markers';

/** A question waits this long for the order of its passages. */
const RERANK_MS = 3_000;

/** The profile that searches the documents and answers with the active provider. */
export const DEFAULT_PROFILE = 'ivy-orchestrator';

/** Everything that depends on the configuration, built anew for each revision. A run keeps the one it started with. */
export class Snapshot {
  readonly providers: ProviderRegistry;
  readonly ollamaModels: OllamaModels;
  readonly agent: KnowledgeAgent | undefined;
  /** The same settings of models and search have the same name. */
  readonly name: string;
  readonly retriever: Retriever;
  /** Remembers from one configuration to the next which models are too slow. */
  private readonly rewriter: Rewriter;
  /** And how long their tokens are. */
  private readonly ratios: TokenRatios;
  /** What the embedded knowledge base searches with besides words. */
  readonly searchModels: { embedder: Embedder | undefined; reranker: RerankService | undefined };

  constructor(
    readonly config: Config,
    private readonly knowledge: KnowledgeBase,
    private readonly kept: { evidence: EvidenceRepository; markers: MarkerRepository },
    previous?: Snapshot,
  ) {
    this.providers = new ProviderRegistry(config, previous?.providers);
    this.ollamaModels = new OllamaModels(config.ollama.baseUrl);
    const { url, timeoutMs } = config.knowledgeAgent;
    this.agent = url ? new KnowledgeAgent({ url, timeoutMs }) : undefined;
    const { llmProvider, ollama, anthropic, knowledgeAgent, embedding, rerank, rag } = config;
    const models = [llmProvider, ollama, anthropic.model, knowledgeAgent.url, embedding?.model, rerank?.url];
    this.name = shortDigest(JSON.stringify([models, rag]));
    this.retriever = this.agent ?? knowledge;
    this.rewriter = previous?.rewriter ?? new Rewriter();
    this.ratios = previous?.ratios ?? new TokenRatios();
    this.searchModels = { embedder: this.embedder(), reranker: this.reranker() };
  }

  private embedder(): Embedder | undefined {
    const { embedding, ollama } = this.config;
    if (!embedding) return undefined;
    const { baseUrl, apiKey } = embedding;
    const model = baseUrl ? embedding.model : embedding.model.replace(/^ollama\//, '');
    const provider = baseUrl ? new OpenAiEmbeddings({ baseUrl, apiKey }) : this.providers.ollama;
    // The same model behind another address may be another version.
    const address = baseUrl ?? ollama.baseUrl;
    return createModelEmbedder(provider, model, `model_${shortDigest(`${address} ${model}`)}`);
  }

  private reranker(): RerankService | undefined {
    return this.config.rerank && new RerankService({ ...this.config.rerank, timeoutMs: RERANK_MS });
  }

  /** How to answer a request; throws 404 for a model that `/v1/models` does not list. */
  async orchestratorFor({ model, task }: Pick<RunRequest, 'model' | 'task'>): Promise<Orchestrator> {
    const settings = this.config.rag;
    const hasDocuments = () => this.agent !== undefined || this.knowledge.hasDocuments;
    const keepEvidence = (runId: string, passages: readonly CitedPassage[]) => {
      this.kept.evidence.save(runId, passages).catch((error) => log.error({ err: error }, 'evidence cannot be kept'));
    };
    const { markers } = this.kept;
    const parts = {
      retriever: this.retriever,
      rewriter: this.rewriter,
      ratios: this.ratios,
      settings,
      issued: {
        known: (fingerprints: readonly string[]) => markers.known(fingerprints),
        add: (fingerprints: readonly string[]) => {
          markers.add(fingerprints).catch((error) => log.error({ err: error }, 'markers of an answer cannot be kept'));
        },
      },
      hasDocuments,
      ...(this.agent && { keepEvidence }),
    };
    // A task model that is missing must not cost the chore: then the chat's own model does it.
    const small = task && this.config.taskModel ? await this.findQuietly(this.config.taskModel) : undefined;
    const local = task && !small ? await this.localForChores() : undefined;
    if (local) return createAnswer({ ...parts, retrieval: false, target: async () => local });
    if (small) return createAnswer({ ...parts, retrieval: false, target: async () => small });
    if (model === DEFAULT_PROFILE) {
      return createAnswer({ ...parts, retrieval: true, target: () => this.providers.activeTarget() });
    }
    const target = await this.providers.find(model);
    if (!target) {
      throw new AppError('model_not_found', `The model ${model} does not exist. GET /v1/models lists what is there.`, {
        param: 'model',
      });
    }
    return createAnswer({ ...parts, retrieval: false, target: async () => target });
  }

  /** True when the answer comes from a local model, whose slots are few. */
  isLocal({ model: asked, task }: Pick<RunRequest, 'model' | 'task'>): boolean {
    const model = (task && this.config.taskModel) || asked;
    return model.startsWith('ollama/') || (model === DEFAULT_PROFILE && this.providers.active === 'local');
  }

  /** Where the model that answers runs elsewhere, chores stay on a local one, if there is any. */
  private async localForChores() {
    const active = await this.providers.activeTarget().catch(() => undefined);
    return active?.model.remote === undefined ? undefined : this.providers.localTarget();
  }

  private async findQuietly(model: string) {
    return this.providers.find(model).catch(() => undefined);
  }
}

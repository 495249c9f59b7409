import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Access, type KeySettings } from '../access/access';
import { createMark, matchesMark } from '../access/password-mark';
import { type ConfigChange, ConfigStore } from '../config/config-store';
import { type Config, isLoopbackHost } from '../config/schema';
import type { EmbeddingRequest, EmbeddingResult } from '../core/embedding';
import { AppError } from '../core/errors';
import type { DocumentInfo } from '../core/knowledge';
import { maySee, type Principal } from '../core/run';
import { DropFolder } from '../knowledge/embedded/drop-folder';
import { KnowledgeBase } from '../knowledge/embedded/knowledge-base';
import { type Cached, cached } from '../lib/async';
import { log } from '../lib/log';
import { Serial } from '../lib/serial';
import { checkModelName } from '../providers/ollama-models';
import { AccessRepository } from '../store/access';
import { AuditRepository } from '../store/audit';
import { lockDataFolder } from '../store/data-lock';
import { type Database, openDatabase } from '../store/database';
import { DocumentRepository } from '../store/documents';
import { EvidenceRepository } from '../store/evidence';
import { MarkerRepository } from '../store/markers';
import { RunRepository } from '../store/runs';
import { SettingsRepository } from '../store/settings';
import { UsageRepository } from '../store/usage';
import { Answers } from './answers';
import { Evaluations } from './evaluations';
import { checkHealth, type Health } from './health';
import { PromptWatch } from './prompt-watch';
import { PullRegistry } from './pull-registry';
import { RunRegistry } from './run-registry';
import { DEFAULT_PROFILE, Snapshot } from './snapshot';

export interface ServicesOptions {
  /** Folder of the project: `.env`, `samples/` and the built parser are found from here. */
  root: string;
  environment: Partial<Record<string, string>>;
  /** Defaults of a packaged installation, below `.env`. */
  packaged?: Partial<Record<string, string>>;
  /** Poll interval of `.env`. */
  pollMs?: number;
}

const AUTO_POLL_MS = 5_000;
const HEALTH_TTL_MS = 2_000;
/** A conversation may be taken up again so much later. */
const MARKER_DAYS = 180;
const TRIM_MS = 3_600_000;
const MAX_FILE_BYTES = 512 * 1024 * 1024;
const SAMPLES_ADDED = 'samples-added';
const INGESTION_PAUSED = 'ingestion-paused';
const PASSWORD_MARK = 'password-mark';
const AUTO_MODEL = 'auto-model';

/** The process-long parts and the current configuration's snapshot: everything a transport needs. */
export class Services {
  readonly answers: Answers;
  readonly runs: RunRegistry;
  readonly pulls: PullRegistry;
  readonly access: Access;
  readonly health: Cached<Health>;
  readonly evaluations: Evaluations;
  readonly prompts = new PromptWatch();
  private current: Snapshot;
  private draining = false;
  /** Resolves when the last change of the configuration is in force. */
  private configured: Promise<void> = Promise.resolve();
  private autoTimer: NodeJS.Timeout | undefined;
  private trimTimer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly database: Database,
    private readonly settings: SettingsRepository,
    readonly config: ConfigStore,
    readonly knowledge: KnowledgeBase,
    private readonly dropFolder: DropFolder,
    readonly audit: AuditRepository,
    readonly evidence: EvidenceRepository,
    private readonly markers: MarkerRepository,
    readonly usage: UsageRepository,
    readonly runRecords: RunRepository,
    private readonly lock: { release(): void },
  ) {
    this.current = new Snapshot(config.config, knowledge, { evidence, markers });
    this.answers = new Answers({ usage, runRecords, prompts: this.prompts, snapshot: () => this.current });
    this.runs = new RunRegistry((request, context, signal) => this.answers.start(request, context, signal));
    this.pulls = new PullRegistry(() => this.snapshot.providers.ollama.forgetModels());
    this.evaluations = new Evaluations(settings, () => this.current);
    this.health = cached(HEALTH_TTL_MS, () => checkHealth(this));
    this.access = new Access(new AccessRepository(database), () => ({
      ...this.config.config,
      loopback: isLoopbackHost(this.config.config.host),
    }));
  }

  static async open(options: ServicesOptions): Promise<Services> {
    const dataDir = resolve(options.root, dataDirOf(options));
    const lock = lockDataFolder(join(dataDir, 'ivy.lock'));
    const database = await openDatabase(join(dataDir, 'ivy.db'));
    const settings = new SettingsRepository(database);
    const audit = new AuditRepository(database);
    let services: Services | undefined;
    const changes = new Serial();
    const config = await ConfigStore.open({
      envFilePath: join(options.root, '.env'),
      environment: options.environment,
      packaged: options.packaged,
      stored: settings,
      pollMs: options.pollMs ?? 500,
      onChange: (change) => {
        // In order, or an older configuration could end up in force.
        const done = changes.run(() => onConfigChange(services, audit, change));
        if (services) services.configured = done;
        done.catch((error) => log.error({ err: error }, 'a configuration change was not applied completely'));
      },
      onRejected: (problems) =>
        log.error({ problems: problems.map((problem) => problem.message) }, 'this edit of .env is not taken over'),
    });
    for (const name of config.unknown) log.warn(`${name} in .env has no effect: Ivy knows no such variable`);
    const knowledge = await KnowledgeBase.open({
      directory: join(dataDir, 'knowledge'),
      documents: new DocumentRepository(database),
      parseWorkerPath: join(options.root, 'dist', 'parse-worker.mjs'),
      termWorkerPath: join(options.root, 'dist', 'term-index-worker.mjs'),
      maxFileBytes: MAX_FILE_BYTES,
      paused: (await settings.get(INGESTION_PAUSED)) !== undefined,
      place: config.config.qdrant,
    });
    const dropFolder = await DropFolder.open(join(dataDir, 'ingestion'), knowledge);
    services = new Services(
      database,
      settings,
      config,
      knowledge,
      dropFolder,
      audit,
      new EvidenceRepository(database),
      new MarkerRepository(database),
      new UsageRepository(database),
      new RunRepository(database),
      lock,
    );
    await services.access.syncKeys(config.config.apiKeys);
    await services.notePassword();
    await services.trimRecords();
    await addSamples(options.root, settings, knowledge);
    await knowledge.setModels(services.snapshot.searchModels);
    await services.followAutoModel();
    await services.resolveAuto();
    return services;
  }

  get snapshot(): Snapshot {
    return this.current;
  }

  /** False while starting is not the caller's concern any more, and once draining began. */
  get ready(): boolean {
    return !this.draining;
  }

  async embed(request: EmbeddingRequest, signal: AbortSignal): Promise<EmbeddingResult> {
    const { provider, model } = await this.current.providers.findEmbedding(request.model);
    return provider.embed({ ...request, model }, signal);
  }

  /** The last request of Open WebUI since the start, and whether it came with the headers that name its chores. */
  openWebUi: { at: number; headers: boolean } | undefined;

  /** To be told of every chat request that comes from Open WebUI. */
  sawOpenWebUi(headers: boolean): void {
    this.openWebUi = { at: Date.now(), headers };
  }

  /** Ids of the models that are Ivy's own. */
  readonly profiles: string[] = [DEFAULT_PROFILE];

  /** What `/v1/models` lists; a provider that is down keeps its last known models. */
  async models() {
    const listed = await this.current.providers.list();
    const profile = {
      id: DEFAULT_PROFILE,
      model: undefined,
      description: 'Answers from your own documents, with citations.',
    };
    const description = 'The model itself, without documents.';
    return [profile, ...listed.map(({ id, model }) => ({ id, model, description }))];
  }

  /** Makes a provider and model the active one, as a value of the admin page. */
  async activate(provider: Config['llmProvider'], model: string | undefined, by: Principal): Promise<void> {
    const values: Parameters<ConfigStore['setAdmin']>[0] = { LLM_PROVIDER: provider };
    // Automatic chooses the model too.
    if (provider === 'auto') values.OLLAMA_MODEL = undefined;
    if (provider === 'local') values.OLLAMA_MODEL = model;
    if (provider === 'claude') {
      if (!this.config.config.anthropic.apiKey) {
        throw new AppError('conflict', 'No Claude key is set. Set ANTHROPIC_API_KEY in .env first.');
      }
      values.ANTHROPIC_MODEL = model;
    }
    await this.config.setAdmin(values);
    await this.configured;
    await this.audit.record(by.name, 'model activated', model ? `${provider} ${model}` : provider);
  }

  /** Starts pulling a model from Ollama's registry. */
  pull(name: string, by: Principal): void {
    const model = checkModelName(name);
    const { ollamaModels } = this.current;
    this.pulls.start(model, (wanted, signal) => ollamaModels.pull(wanted, signal));
    this.audit
      .record(by.name, 'model pull started', model)
      .catch((error) => log.error({ err: error }, 'the audit log cannot be written'));
  }

  async removeModel(name: string, by: Principal): Promise<void> {
    await this.current.ollamaModels.remove(name, AbortSignal.timeout(10_000));
    this.current.providers.ollama.forgetModels();
    await this.audit.record(by.name, 'model removed', name);
  }

  /** Throws 404 when there is no such key. */
  async setKey(id: string, settings: KeySettings, by: Principal): Promise<void> {
    await this.access.setKey(id, settings);
    await this.audit.record(by.name, 'key changed', `${id} ${JSON.stringify(settings)}`);
  }

  /** Holds ingestion, or lets it go on; it stays so over restarts. */
  async pauseIngestion(paused: boolean, by: Principal): Promise<void> {
    if (paused) {
      await this.settings.set(INGESTION_PAUSED, new Date().toISOString());
      this.knowledge.ingestion.pause();
    } else {
      await this.settings.remove(INGESTION_PAUSED);
      this.knowledge.ingestion.resume();
    }
    await this.audit.record(by.name, paused ? 'ingestion paused' : 'ingestion resumed', '');
  }

  /** Removes the documents that wait for their turn; answers how many. */
  async cancelIngestion(by: Principal): Promise<number> {
    const count = await this.knowledge.ingestion.cancelQueued();
    await this.audit.record(by.name, 'waiting documents removed', String(count));
    return count;
  }

  /** A document that a principal may see; one of another collection is as absent as one that never was. */
  async document(id: string, principal: Principal): Promise<DocumentInfo> {
    const document = await this.knowledge.get(id);
    if (document && maySee(principal, document.collection)) return document;
    throw new AppError('not_found', 'This document does not exist.');
  }

  /** Adds a document to a collection that the principal may see; without a name to the first of these. */
  async addDocument(
    name: string,
    content: AsyncIterable<Uint8Array>,
    collection: string | undefined,
    principal: Principal,
  ): Promise<{ document: DocumentInfo; created: boolean }> {
    const wanted = collection?.trim() || principal.collections?.[0];
    if (wanted !== undefined && !maySee(principal, wanted)) {
      throw new AppError('permission_denied', `This key may not add documents to the collection ${wanted}.`, {
        param: 'collection',
      });
    }
    return this.knowledge.add(name, content, wanted === undefined ? {} : { collection: wanted });
  }

  /** Throws 404 when there is no such document. */
  async removeDocument(id: string, by: Principal): Promise<void> {
    const document = await this.document(id, by);
    if (!(await this.knowledge.remove(id))) throw new AppError('not_found', 'This document was removed already.');
    // The knowledge base has looked: no row, passage, vector or file is left.
    await this.audit.record(by.name, 'document removed', `${document.source} (${id}), verified`);
  }

  /** Ends without losing anything: running answers get half a minute, then a typed end. */
  async close(): Promise<void> {
    if (this.draining) return;
    this.draining = true;
    const answered = this.answers.drain();
    clearTimeout(this.autoTimer);
    clearTimeout(this.trimTimer);
    this.pulls.stopAll();
    this.config.close();
    await this.dropFolder.stop();
    await this.knowledge.stopIngestion();
    await answered;
    await Promise.all([this.usage.flush(), this.runRecords.flush(), this.markers.flush()]);
    await this.knowledge.close();
    await this.database.destroy();
    this.lock.release();
  }

  /** Builds the snapshot of a new configuration; running answers keep theirs. */
  async configChanged(change: ConfigChange): Promise<void> {
    // What withdraws a right comes first.
    if (change.changed.includes('IVY_API_KEYS')) {
      await this.access.syncKeys(change.config.apiKeys);
      await this.endWithdrawn();
    }
    if (change.changed.includes('IVY_ADMIN_PASSWORD')) await this.notePassword();
    const next = new Snapshot(
      change.config,
      this.knowledge,
      { evidence: this.evidence, markers: this.markers },
      this.current,
    );
    await next.providers.resolveAuto();
    this.current = next;
    // From here on no answer is recorded that should not be.
    if (change.changed.includes('IVY_RUN_RETENTION_DAYS')) await this.trimRecords();
    await this.knowledge.setModels(next.searchModels);
    await this.knowledge.setPlace(change.config.qdrant);
    this.health.reset();
    await this.resolveAuto();
  }

  /** Removes what is older than the operator wants it kept, now and every hour. */
  private async trimRecords(): Promise<void> {
    clearTimeout(this.trimTimer);
    const { runRetentionDays } = this.config.config;
    try {
      await this.runRecords.trim(runRetentionDays);
      // Links of answers must work for a while even when nothing is recorded.
      await this.evidence.trim(Math.max(1, runRetentionDays));
      await this.markers.trim(MARKER_DAYS);
    } finally {
      this.trimLater();
    }
  }

  private trimLater(): void {
    if (this.draining) return;
    const again = () => this.trimRecords().catch((error) => log.error({ err: error }, 'old records cannot be removed'));
    this.trimTimer = setTimeout(again, TRIM_MS);
    this.trimTimer.unref();
  }

  /** Ends answers under way for keys that are valid no more. */
  private async endWithdrawn(): Promise<void> {
    const valid = new Set((await this.access.keys()).map(({ id }) => id));
    const withdrawn = new AppError('invalid_api_key', 'This API key was withdrawn.');
    this.answers.end(({ kind, id }) => kind === 'key' && !valid.has(id), withdrawn);
  }

  /** After the password changed, also while Ivy was down, nobody stays signed in with the old one. */
  private async notePassword(): Promise<void> {
    const mark = await this.settings.get(PASSWORD_MARK);
    const password = this.config.config.adminPassword ?? '';
    if (mark !== undefined && (await matchesMark(password, mark))) return;
    await this.access.endAllSessions();
    await this.settings.set(PASSWORD_MARK, await createMark(password));
  }

  /** What lies in the drop folder and is not taken. */
  get leftInDropFolder() {
    return this.dropFolder.left;
  }

  /** When the automatic choice last fell on another model, since the one before was gone; shown on the admin page. */
  autoChange: { model: string; before: string; at: number } | undefined;

  /** The automatic choice is kept over restarts, and a change of it is told. */
  private async followAutoModel(): Promise<void> {
    const { providers } = this.current;
    providers.preferAuto(await this.settings.get(AUTO_MODEL));
    providers.onAutoModel = (model, before) => {
      this.settings.set(AUTO_MODEL, model).catch((error) => log.error({ err: error }, 'the model cannot be noted'));
      if (before === undefined) return;
      this.autoChange = { model, before, at: Date.now() };
      log.warn({ model, before }, 'the model that answered is gone; another one answers from now on');
    };
  }

  /** Under `auto`, looks for a local model now and every five seconds until one is there. */
  private async resolveAuto(): Promise<void> {
    clearTimeout(this.autoTimer);
    const { providers, config } = this.current;
    if (await providers.resolveAuto()) {
      this.health.reset();
      log.info({ model: providers.activeModelName }, 'Ollama has a chat model: it answers from now on');
    }
    if (this.draining || config.llmProvider !== 'auto' || providers.active !== 'builtin') return;
    this.autoTimer = setTimeout(() => void this.resolveAuto(), AUTO_POLL_MS);
    this.autoTimer.unref();
  }
}

/** The data folder is fixed at start, so it is read before the store that the other layers live in exists. */
function dataDirOf({ root, environment }: ServicesOptions): string {
  return environment['IVY_DATA_DIR'] || ConfigStore.peek(join(root, '.env'), 'IVY_DATA_DIR') || 'data';
}

async function onConfigChange(
  services: Services | undefined,
  audit: AuditRepository,
  change: ConfigChange,
): Promise<void> {
  await services?.configChanged(change);
  const names = [...new Set([...change.changed, ...change.cleared])];
  log.info({ changed: names }, 'configuration changed');
  await audit.record('configuration', 'changed', names.join(', '));
  if (change.cleared.length > 0) {
    await audit.record('configuration', 'admin value replaced by .env', change.cleared.join(', '));
  }
}

/** The shipped documents are added once; deleting them is final. */
async function addSamples(root: string, settings: SettingsRepository, knowledge: KnowledgeBase): Promise<void> {
  if (await settings.get(SAMPLES_ADDED)) return;
  const directory = join(root, 'samples');
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    // Only the shipped kinds: a foreign file there must not keep Ivy from starting.
    if (!entry.isFile() || !/\.(pdf|md)$/.test(entry.name) || entry.name === 'README.md') continue;
    await knowledge.add(entry.name, createReadStream(join(directory, entry.name)), { sample: true });
  }
  await settings.set(SAMPLES_ADDED, new Date().toISOString());
}

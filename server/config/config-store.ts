import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { parseEnv } from 'node:util';
import { log } from '../lib/log';
import { Serial } from '../lib/serial';
import { type Problem, type RawValues, type Resolved, resolveConfig, type Source } from './resolve';
import { adminSettable, type Config, restartOnly, type Variable, variableNames, variables } from './schema';

/** Settings kept across restarts; the store implements it. */
export interface StoredSettings {
  adminValues(): Promise<RawValues>;
  setAdminValue(variable: string, value: string | undefined): Promise<void>;
  /** Digest of each `.env` value as last seen, to notice an edit made while Ivy was down. */
  envDigests(): Promise<RawValues>;
  setEnvDigests(digests: RawValues): Promise<void>;
}

export interface ConfigChange {
  config: Config;
  changed: readonly Variable[];
  /** Admin values that an edit of `.env` replaced. */
  cleared: readonly Variable[];
}

export interface ConfigStoreOptions {
  envFilePath: string;
  environment: RawValues;
  packaged?: RawValues;
  stored: StoredSettings;
  /** Interval at which `.env` is read: by content, so no edit is missed, however an editor replaces the file. */
  pollMs: number;
  onChange(change: ConfigChange): void;
  onRejected(problems: readonly Problem[]): void;
}

/** First words of Ivy's variables. */
const FAMILIES = new Set(variableNames.map(familyOf));
/** Names of the same families that others read from the same file. */
const FOREIGN = ['KNOWLEDGE_AGENT_IMAGE'];

/** The configuration in force and the only way to change it. Every change is validated as a whole first. */
export class ConfigStore {
  private current: Extract<Resolved, { ok: true }>;
  private rejected: readonly Problem[] = [];
  /** One change at a time, so that two edits cannot undo each other. */
  private readonly changes = new Serial();
  private emptyBefore = false;
  private timer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly options: ConfigStoreOptions,
    /** The text of `.env` as last looked at, taken over or not. */
    private envText: string,
    private envFile: RawValues,
    private admin: RawValues,
    resolved: Extract<Resolved, { ok: true }>,
  ) {
    this.current = resolved;
  }

  /** Reads all layers; throws with every problem named when they do not make a valid configuration. */
  static async open(options: ConfigStoreOptions): Promise<ConfigStore> {
    const envText = readEnvText(options.envFilePath);
    const envFile = parseEnv(envText);
    const admin = await options.stored.adminValues();
    const cleared = await clearEdited(options.stored, envFile, admin);
    const resolved = resolveConfig({ ...options, envFile, admin });
    if (!resolved.ok) throw new Error(resolved.problems.map((problem) => problem.message).join('\n'));
    const store = new ConfigStore(options, envText, envFile, admin, resolved);
    if (cleared.length > 0) options.onChange({ config: resolved.config, changed: cleared, cleared });
    store.poll();
    return store;
  }

  /** One value of `.env`, for what must be known before the store can be opened. */
  static peek(envFilePath: string, variable: Variable): string | undefined {
    return parseEnv(readEnvText(envFilePath))[variable];
  }

  get config(): Config {
    return this.current.config;
  }

  /** What was wrong with the last edit that was not taken; empty when all is well. */
  get problems(): readonly Problem[] {
    return this.rejected;
  }

  sourceOf(variable: Variable): Source {
    return this.current.sources[variable];
  }

  /** Names in `.env` that look like Ivy's but have no effect: misspelt, or of another version. */
  get unknown(): readonly string[] {
    const known: readonly string[] = [...variableNames, ...FOREIGN];
    return Object.keys(this.envFile).filter((name) => FAMILIES.has(familyOf(name)) && !known.includes(name));
  }

  /** Takes over an edited `.env`; an invalid edit changes nothing and is kept as `problems`. */
  private reload(envText: string): Promise<void> {
    return this.changes.run(async () => {
      const envFile = parseEnv(envText);
      const admin = { ...this.admin };
      for (const variable of changedNames(this.envFile, envFile)) delete admin[variable];
      const resolved = resolveConfig({ ...this.options, envFile, admin });
      if (!resolved.ok) {
        this.envText = envText;
        this.rejected = resolved.problems;
        this.options.onRejected(resolved.problems);
        return;
      }
      const cleared = await clearEdited(this.options.stored, envFile, this.admin);
      this.envFile = envFile;
      this.envText = envText;
      this.rejected = [];
      this.apply(resolved, cleared);
    });
  }

  /** Sets values of the admin page together, or resets those given as undefined; throws with the reason when invalid. */
  setAdmin(values: Partial<Record<Variable, string | undefined>>): Promise<void> {
    return this.changes.run(async () => {
      const admin = { ...this.admin };
      for (const [name, value] of Object.entries(values) as [Variable, string | undefined][]) {
        if (!adminSettable.includes(name)) throw new Error(`${name} cannot be set on the admin page`);
        const parsed = value === undefined ? undefined : variables[name].safeParse(value);
        if (parsed && !parsed.success) throw new Error(`${name} ${parsed.error.issues[0]?.message ?? 'is invalid'}`);
        if (value === undefined) delete admin[name];
        else admin[name] = value;
      }
      const resolved = resolveConfig({ ...this.options, envFile: this.envFile, admin });
      if (!resolved.ok) throw new Error(resolved.problems.map((problem) => problem.message).join('\n'));
      for (const [name, value] of Object.entries(values)) await this.options.stored.setAdminValue(name, value);
      this.admin = admin;
      this.apply(resolved, []);
    });
  }

  close(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private poll(): void {
    this.timer = setTimeout(async () => {
      const text = await this.readChanged();
      const change = text === undefined ? undefined : this.reload(text);
      await change?.catch((error: unknown) => log.error({ err: error }, 'an edit of .env could not be applied yet'));
      if (this.timer) this.poll();
    }, this.options.pollMs);
    this.timer.unref();
  }

  /**
   * The text of `.env` if it is a new one. A file that cannot be read just now changes nothing, and one that is
   * absent or empty, as in the middle of being written, counts only when it is so twice in a row.
   */
  private async readChanged(): Promise<string | undefined> {
    const text = await readFile(this.options.envFilePath, 'utf8').catch((error: NodeJS.ErrnoException) =>
      error.code === 'ENOENT' ? '' : this.envText,
    );
    const empty = text.trim() === '';
    const believable = !empty || this.emptyBefore;
    this.emptyBefore = empty;
    return believable && text !== this.envText ? text : undefined;
  }

  private apply(resolved: Extract<Resolved, { ok: true }>, cleared: readonly Variable[]): void {
    const before = this.current.config;
    // Values bound when the process started stay as they are until the next start.
    const config = Object.freeze({
      ...resolved.config,
      host: before.host,
      port: before.port,
      dataDir: before.dataDir,
      // Without one of its own it names the port that is really open.
      publicUrl:
        resolved.sources.PUBLIC_URL === 'default' ? `http://127.0.0.1:${before.port}` : resolved.config.publicUrl,
    });
    const changed = changedConfig(before, config);
    this.current = { ...resolved, config };
    if (changed.length > 0 || cleared.length > 0) this.options.onChange({ config, changed, cleared });
  }
}

function familyOf(name: string): string {
  return name.split('_', 1)[0]?.toUpperCase() ?? '';
}

/** Without the file everything is at its default. */
function readEnvText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function changedNames(before: RawValues, after: RawValues): Variable[] {
  return variableNames.filter((name) => (before[name] ?? '') !== (after[name] ?? ''));
}

const digest = (value: string) => createHash('sha256').update(value).digest('hex').slice(0, 32);

/** Drops admin values whose variable was edited in `.env` since last seen, in `admin` and in the store. */
async function clearEdited(stored: StoredSettings, envFile: RawValues, admin: RawValues): Promise<Variable[]> {
  const seen = await stored.envDigests();
  const now: RawValues = {};
  for (const name of variableNames) if (envFile[name]) now[name] = digest(envFile[name]);
  const cleared = variableNames.filter((name) => admin[name] !== undefined && seen[name] !== now[name]);
  for (const name of cleared) {
    delete admin[name];
    await stored.setAdminValue(name, undefined);
  }
  if (JSON.stringify(seen) !== JSON.stringify(now)) await stored.setEnvDigests(now);
  return cleared;
}

const FIELDS: Record<Variable, (config: Config) => unknown> = {
  LLM_PROVIDER: (c) => c.llmProvider,
  OLLAMA_BASE_URL: (c) => c.ollama.baseUrl,
  OLLAMA_MODEL: (c) => c.ollama.model,
  OLLAMA_CONTEXT_LENGTH: (c) => c.ollama.contextLength,
  ANTHROPIC_API_KEY: (c) => c.anthropic.apiKey,
  ANTHROPIC_MODEL: (c) => c.anthropic.model,
  ANTHROPIC_BASE_URL: (c) => c.anthropic.baseUrl,
  KNOWLEDGE_AGENT_URL: (c) => c.knowledgeAgent.url,
  KNOWLEDGE_AGENT_TIMEOUT_MS: (c) => c.knowledgeAgent.timeoutMs,
  EMBEDDING_MODEL: (c) => c.embedding?.model,
  EMBEDDING_BASE_URL: (c) => c.embedding?.baseUrl,
  EMBEDDING_API_KEY: (c) => c.embedding?.apiKey,
  RERANK_URL: (c) => c.rerank?.url,
  RERANK_MODEL: (c) => c.rerank?.model,
  RERANK_API_KEY: (c) => c.rerank?.apiKey,
  QDRANT_URL: (c) => c.qdrant?.url,
  QDRANT_API_KEY: (c) => c.qdrant?.apiKey,
  QDRANT_COLLECTION: (c) => c.qdrant?.collection,
  QDRANT_SHARDS: (c) => c.qdrant?.shards,
  QDRANT_REPLICAS: (c) => c.qdrant?.replicas,
  TASK_MODEL: (c) => c.taskModel,
  RAG_TOP_K: (c) => c.rag.topK,
  RAG_MIN_SCORE: (c) => c.rag.minScore,
  RAG_REQUIRED: (c) => c.rag.required,
  RAG_PROMPT_PLACE: (c) => c.rag.place,
  RAG_SECOND_LOOK: (c) => c.rag.secondLook,
  IVY_RUN_RETENTION_DAYS: (c) => c.runRetentionDays,
  HOST: (c) => c.host,
  PORT: (c) => c.port,
  IVY_DATA_DIR: (c) => c.dataDir,
  PUBLIC_URL: (c) => c.publicUrl,
  IVY_ALLOWED_HOSTS: (c) => c.allowedHosts.join(),
  IVY_CORS_ORIGINS: (c) => c.corsOrigins.join(),
  IVY_API_KEYS: (c) => c.apiKeys.join(),
  OPENWEBUI_JWT_SECRET: (c) => c.openWebUiSecret,
  IVY_ADMIN_PASSWORD: (c) => c.adminPassword,
};

function changedConfig(before: Config, after: Config): Variable[] {
  return variableNames.filter((name) => !restartOnly.includes(name) && FIELDS[name](before) !== FIELDS[name](after));
}

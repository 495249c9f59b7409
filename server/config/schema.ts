import { z } from 'zod';

const httpUrl = z
  .string()
  .refine(
    (value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol),
    'must be an http or https address',
  )
  .transform((value) => value.replace(/(?<!\/)\/+$/, ''));

const list = z.string().transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

/** Origins as browsers write them; a slash at the end or capital letters do not matter, anything else would never match. */
const origins = list
  .refine(
    (values) => values.every((value) => URL.canParse(value) && /^https?:\/\/[^/?#@]+\/?$/i.test(value)),
    'must be origins such as https://chat.example.org, without a path, separated by commas',
  )
  .transform((values) => values.map((value) => new URL(value).origin));

const boolean = z
  .enum(['true', 'false', '1', '0', 'yes', 'no'], { error: 'must be true or false' })
  .transform((value) => value === 'true' || value === '1' || value === 'yes');

const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be between ${min} and ${max}`);

const fraction = z
  .string()
  .regex(/^(?:\d+(?:\.\d+)?|\.\d+)$/, 'must be a number')
  .transform(Number)
  .refine((value) => value >= 0 && value <= 1, 'must be between 0 and 1');

/**
 * Every variable Ivy reads, as text in, typed value out. An absent or empty variable is undefined
 * here; `toConfig` fills in the defaults.
 */
export const variables = {
  LLM_PROVIDER: z.enum(['auto', 'local', 'claude', 'builtin'], { error: 'must be auto, local, claude or builtin' }),
  OLLAMA_BASE_URL: httpUrl,
  OLLAMA_MODEL: z.string().max(200),
  OLLAMA_CONTEXT_LENGTH: integer(1024, 4_000_000),
  ANTHROPIC_API_KEY: z.string().max(500),
  ANTHROPIC_MODEL: z.string().max(200),
  ANTHROPIC_BASE_URL: httpUrl,
  KNOWLEDGE_AGENT_URL: httpUrl,
  KNOWLEDGE_AGENT_TIMEOUT_MS: integer(100, 60_000),
  EMBEDDING_MODEL: z.string().max(200),
  EMBEDDING_BASE_URL: httpUrl,
  EMBEDDING_API_KEY: z.string().max(500),
  RERANK_URL: httpUrl,
  RERANK_MODEL: z.string().max(200),
  RERANK_API_KEY: z.string().max(500),
  QDRANT_URL: httpUrl,
  QDRANT_API_KEY: z.string().max(500),
  QDRANT_COLLECTION: z.string().regex(/^[\w-]{1,60}$/, 'may hold letters, digits, - and _ only, 60 at most'),
  QDRANT_SHARDS: integer(1, 1000),
  QDRANT_REPLICAS: integer(1, 100),
  RAG_TOP_K: integer(1, 50),
  RAG_MIN_SCORE: fraction,
  RAG_REQUIRED: boolean,
  RAG_PROMPT_PLACE: z.enum(['user', 'system'], { error: 'must be user or system' }),
  RAG_SECOND_LOOK: z.enum(['off', 'local', 'any'], { error: 'must be off, local or any' }),
  TASK_MODEL: z.string().max(200),
  IVY_RUN_RETENTION_DAYS: integer(0, 3650),
  HOST: z.string().regex(/^[A-Za-z0-9.:-]+$/, 'must be an address or a host name'),
  PORT: integer(0, 65_535),
  IVY_DATA_DIR: z.string(),
  PUBLIC_URL: httpUrl,
  IVY_ALLOWED_HOSTS: list,
  IVY_CORS_ORIGINS: origins,
  IVY_API_KEYS: list.refine((keys) => keys.every((key) => key.length >= 16), 'each key needs at least 16 characters'),
  OPENWEBUI_JWT_SECRET: z.string().min(16, 'needs at least 16 characters').max(500),
  IVY_ADMIN_PASSWORD: z.string().min(10, 'needs at least 10 characters').max(200),
} as const;

export type Variable = keyof typeof variables;
export const variableNames = Object.keys(variables) as Variable[];

/** Parsed once when the process starts; a change needs a restart. */
export const restartOnly: readonly Variable[] = ['HOST', 'PORT', 'IVY_DATA_DIR'];

/** What the admin page may set; everything else belongs to the operator's files. */
export const adminSettable: readonly Variable[] = [
  'LLM_PROVIDER',
  'OLLAMA_MODEL',
  'ANTHROPIC_MODEL',
  'RAG_TOP_K',
  'RAG_MIN_SCORE',
];

type Parsed = { [K in Variable]?: z.output<(typeof variables)[K]> };

/** The configuration of one revision, frozen; every run keeps the one it started with. */
export interface Config {
  llmProvider: 'auto' | 'local' | 'claude' | 'builtin';
  ollama: { baseUrl: string; model: string | undefined; contextLength: number };
  anthropic: { apiKey: string | undefined; model: string; baseUrl: string | undefined };
  knowledgeAgent: { url: string | undefined; timeoutMs: number };
  /** Undefined: documents are searched by words alone. Without an address the model is Ollama's. */
  embedding: { model: string; baseUrl: string | undefined; apiKey: string | undefined } | undefined;
  /** Where passages are kept; undefined: in the data folder. */
  qdrant:
    | {
        url: string;
        apiKey: string | undefined;
        collection: string;
        shards: number | undefined;
        replicas: number | undefined;
      }
    | undefined;
  rerank: { url: string; model: string | undefined; apiKey: string | undefined } | undefined;
  /** Model id as `/v1/models` lists it, for chores of clients; undefined leaves them to the chat's own model. */
  taskModel: string | undefined;
  rag: {
    topK: number | undefined;
    minScore: number | undefined;
    required: boolean;
    place: 'user' | 'system';
    secondLook: 'off' | 'local' | 'any';
  };
  /** Questions and answers are kept this long; 0 records nothing. */
  runRetentionDays: number;
  host: string;
  port: number;
  dataDir: string;
  publicUrl: string;
  allowedHosts: readonly string[];
  corsOrigins: readonly string[];
  apiKeys: readonly string[];
  /** Signs the users that Open WebUI forwards. */
  openWebUiSecret: string | undefined;
  adminPassword: string | undefined;
}

export function toConfig(values: Parsed): Config {
  const port = values.PORT ?? 8000;
  return Object.freeze<Config>({
    llmProvider: values.LLM_PROVIDER ?? 'auto',
    ollama: {
      baseUrl: values.OLLAMA_BASE_URL ?? 'http://127.0.0.1:11434',
      model: values.OLLAMA_MODEL,
      contextLength: values.OLLAMA_CONTEXT_LENGTH ?? 8192,
    },
    anthropic: {
      apiKey: values.ANTHROPIC_API_KEY,
      // The newest Sonnet in the types of the pinned SDK.
      model: values.ANTHROPIC_MODEL ?? 'claude-sonnet-5-5',
      baseUrl: values.ANTHROPIC_BASE_URL,
    },
    knowledgeAgent: { url: values.KNOWLEDGE_AGENT_URL, timeoutMs: values.KNOWLEDGE_AGENT_TIMEOUT_MS ?? 3000 },
    embedding: values.EMBEDDING_MODEL
      ? { model: values.EMBEDDING_MODEL, baseUrl: values.EMBEDDING_BASE_URL, apiKey: values.EMBEDDING_API_KEY }
      : undefined,
    rerank: values.RERANK_URL
      ? { url: toRerankUrl(values.RERANK_URL), model: values.RERANK_MODEL, apiKey: values.RERANK_API_KEY }
      : undefined,
    qdrant: values.QDRANT_URL
      ? {
          url: values.QDRANT_URL,
          apiKey: values.QDRANT_API_KEY,
          collection: values.QDRANT_COLLECTION ?? 'ivy',
          shards: values.QDRANT_SHARDS,
          replicas: values.QDRANT_REPLICAS,
        }
      : undefined,
    taskModel: values.TASK_MODEL,
    rag: {
      topK: values.RAG_TOP_K,
      minScore: values.RAG_MIN_SCORE,
      required: values.RAG_REQUIRED ?? false,
      place: values.RAG_PROMPT_PLACE ?? 'user',
      secondLook: values.RAG_SECOND_LOOK ?? 'off',
    },
    runRetentionDays: values.IVY_RUN_RETENTION_DAYS ?? 30,
    host: values.HOST ?? '127.0.0.1',
    port,
    dataDir: values.IVY_DATA_DIR ?? './data',
    publicUrl: values.PUBLIC_URL ?? `http://127.0.0.1:${port}`,
    allowedHosts: values.IVY_ALLOWED_HOSTS ?? [],
    corsOrigins: values.IVY_CORS_ORIGINS ?? [],
    apiKeys: values.IVY_API_KEYS ?? [],
    openWebUiSecret: values.OPENWEBUI_JWT_SECRET,
    adminPassword: values.IVY_ADMIN_PASSWORD,
  });
}

/** A base address is enough. */
function toRerankUrl(url: string): string {
  return /\/rerank$/.test(new URL(url).pathname) ? url : `${url}/rerank`;
}

/** True when only this machine can reach the server: then no sign-in is asked for. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually, temporaryFolder } from '../testing/collect';
import { type ConfigChange, ConfigStore, type StoredSettings } from './config-store';
import { type RawValues, resolveConfig } from './resolve';

const layers = (change: Partial<Parameters<typeof resolveConfig>[0]>) =>
  resolveConfig({ envFile: {}, environment: {}, admin: {}, ...change });

describe('resolving', () => {
  test('defaults', () => {
    const resolved = layers({});
    expect(resolved).toMatchObject({
      ok: true,
      config: {
        llmProvider: 'auto',
        host: '127.0.0.1',
        port: 8000,
        publicUrl: 'http://127.0.0.1:8000',
        rag: { topK: undefined, required: false, place: 'user' },
      },
    });
  });

  test('the admin page wins over the environment, that over .env, that over the default', () => {
    const all = {
      envFile: { OLLAMA_MODEL: 'file' },
      environment: { OLLAMA_MODEL: 'process' },
      admin: { OLLAMA_MODEL: 'page' },
    };
    const model = (change: object) => {
      const resolved = layers(change);
      return resolved.ok ? [resolved.config.ollama.model, resolved.sources.OLLAMA_MODEL] : resolved.problems;
    };
    expect(model(all)).toEqual(['page', 'admin page']);
    expect(model({ ...all, admin: {} })).toEqual(['process', 'environment']);
    expect(model({ envFile: all.envFile })).toEqual(['file', '.env']);
    expect(model({})).toEqual([undefined, 'default']);
  });

  test('defaults of a packaged installation give way to everything a person sets', () => {
    const packaged = { LLM_PROVIDER: 'local', OLLAMA_BASE_URL: 'http://ollama:11434' };
    expect(layers({ packaged, envFile: { LLM_PROVIDER: 'claude' } })).toMatchObject({
      config: { llmProvider: 'claude', ollama: { baseUrl: 'http://ollama:11434' } },
      sources: { LLM_PROVIDER: '.env', OLLAMA_BASE_URL: 'default' },
    });
  });

  test('an empty value counts as absent', () => {
    expect(layers({ envFile: { RAG_TOP_K: '' }, environment: { RAG_TOP_K: ' ' } })).toMatchObject({
      config: { rag: { topK: undefined } },
    });
  });

  test.each([
    ['LLM_PROVIDER', 'openai'],
    ['PORT', '80a'],
    ['PORT', '70000'],
    ['OLLAMA_BASE_URL', 'file:///etc/passwd'],
    ['RAG_MIN_SCORE', '1.5'],
    ['RAG_REQUIRED', 'maybe'],
    ['IVY_API_KEYS', 'short'],
  ])('%s=%s is refused by name, without the value', (name, value) => {
    const resolved = layers({ envFile: { [name]: value } });
    expect(resolved).toMatchObject({ ok: false, problems: [{ variable: name, source: '.env' }] });
    expect(JSON.stringify(resolved)).not.toContain(`"${value}"`);
  });

  test.each(['0.0.0.0', '192.168.1.5', '::'])('HOST=%s never starts open', (host) => {
    expect(layers({ envFile: { HOST: host } })).toMatchObject({ ok: false, problems: [{ variable: 'HOST' }] });
    expect(layers({ envFile: { HOST: host, IVY_ADMIN_PASSWORD: 'long enough' } }).ok).toBe(true);
    expect(layers({ envFile: { HOST: host, IVY_API_KEYS: 'ivy-0123456789abcdef' } }).ok).toBe(true);
  });

  test.each(['127.0.0.1', '127.1.2.3', 'localhost', '::1'])('HOST=%s needs no credential', (host) =>
    expect(layers({ envFile: { HOST: host } }).ok).toBe(true),
  );
});

/** Settings in memory, as the store keeps them. */
function fakeSettings(admin: RawValues = {}): StoredSettings & { admin: RawValues } {
  let digests: RawValues = {};
  return {
    admin,
    adminValues: async () => ({ ...admin }),
    setAdminValue: async (name, value) => {
      if (value === undefined) delete admin[name];
      else admin[name] = value;
    },
    envDigests: async () => digests,
    setEnvDigests: async (next) => {
      digests = next;
    },
  };
}

async function openStore(
  text: string,
  options: { stored?: StoredSettings; environment?: RawValues; folder?: string } = {},
) {
  const path = join(options.folder ?? temporaryFolder(), '.env');
  writeFileSync(path, text);
  const changes: ConfigChange[] = [];
  const rejected: string[] = [];
  const store = await ConfigStore.open({
    envFilePath: path,
    environment: options.environment ?? {},
    stored: options.stored ?? fakeSettings(),
    pollMs: 20,
    onChange: (change) => changes.push(change),
    onRejected: (problems) => rejected.push(...problems.map(({ message }) => message)),
  });
  onTestFinished(() => store.close());
  const write = (next: string) => {
    // As editors do: a new file takes the place of the old one.
    writeFileSync(`${path}.new`, next);
    renameSync(`${path}.new`, path);
  };
  return { store, changes, rejected, write };
}

describe('the .env file', () => {
  test('takes effect when it is edited, without a restart', async () => {
    const { store, changes, write } = await openStore('LLM_PROVIDER=builtin\n');
    const before = store.config;
    write('LLM_PROVIDER=claude\nANTHROPIC_API_KEY=sk-1\n');
    await eventually(() => store.config.llmProvider === 'claude');
    expect(changes.at(-1)?.changed).toEqual(['LLM_PROVIDER', 'ANTHROPIC_API_KEY']);
    expect(before.llmProvider).toBe('builtin');
  });

  test('an invalid edit keeps the old configuration and is reported until it is mended', async () => {
    const { store, rejected, write } = await openStore('RAG_TOP_K=3\n');
    write('RAG_TOP_K=many\n');
    await eventually(() => store.problems.length > 0);
    expect(store.config.rag.topK).toBe(3);
    expect(rejected[0]).toMatch(/^RAG_TOP_K must be a whole number/);
    write('RAG_TOP_K=4\n');
    await eventually(() => store.config.rag.topK === 4);
    expect(store.problems).toEqual([]);
  });

  test('HOST, PORT and the data folder stay as they were at the start', async () => {
    const { store, write } = await openStore('PORT=8001\n');
    write('PORT=9000\nRAG_TOP_K=9\n');
    await eventually(() => store.config.rag.topK === 9);
    expect(store.config.port).toBe(8001);
    expect(store.config.publicUrl).toBe('http://127.0.0.1:8001');
  });

  test('that is empty for a moment, as while it is being written, changes nothing', async () => {
    const stored = fakeSettings();
    const { store, changes, write } = await openStore('RAG_TOP_K=3\n', { stored });
    await store.setAdmin({ RAG_TOP_K: '7' });
    write('');
    write('RAG_TOP_K=3\nRAG_REQUIRED=true\n');
    await eventually(() => store.config.rag.required);
    expect(changes.at(-1)?.cleared).toEqual([]);
    expect(store.config.rag.topK).toBe(7);
    write('');
    await eventually(() => !store.config.rag.required);
  });

  test('that is invalid stays reported when something else is changed on the admin page', async () => {
    const { store, write } = await openStore('');
    write('RAG_TOP_K=many\n');
    await eventually(() => store.problems.length > 0);
    await store.setAdmin({ LLM_PROVIDER: 'builtin' });
    expect(store.problems).toHaveLength(1);
  });

  test('at the start an invalid one is an error that names every problem', async () => {
    await expect(openStore('PORT=x\nLLM_PROVIDER=y\n')).rejects.toThrow(/LLM_PROVIDER[\s\S]*PORT/);
  });
});

describe('values of the admin page', () => {
  test('win, and an edit of the same variable in .env takes them back', async () => {
    const stored = fakeSettings();
    const { store, changes, write } = await openStore('LLM_PROVIDER=builtin\nRAG_TOP_K=3\n', { stored });
    await store.setAdmin({ LLM_PROVIDER: 'local', RAG_TOP_K: '7' });
    expect([store.config.llmProvider, store.sourceOf('LLM_PROVIDER')]).toEqual(['local', 'admin page']);
    write('LLM_PROVIDER=auto\nRAG_TOP_K=3\n');
    await eventually(() => store.config.llmProvider === 'auto');
    expect(changes.at(-1)?.cleared).toEqual(['LLM_PROVIDER']);
    expect(stored.admin).toEqual({ RAG_TOP_K: '7' });
    expect(store.config.rag.topK).toBe(7);
  });

  test('are taken back too when .env was edited while Ivy was down', async () => {
    const stored = fakeSettings();
    const folder = temporaryFolder();
    const first = await openStore('LLM_PROVIDER=builtin\n', { stored, folder });
    await first.store.setAdmin({ LLM_PROVIDER: 'local' });
    first.store.close();
    expect((await openStore('LLM_PROVIDER=builtin\n', { stored, folder })).store.config.llmProvider).toBe('local');
    expect((await openStore('LLM_PROVIDER=auto\n', { stored, folder })).store.config.llmProvider).toBe('auto');
  });

  test('are validated, and only some variables have one', async () => {
    const { store } = await openStore('');
    await expect(store.setAdmin({ RAG_TOP_K: '900' })).rejects.toThrow(/RAG_TOP_K/);
    await expect(store.setAdmin({ OLLAMA_BASE_URL: 'http://evil' })).rejects.toThrow(/cannot be set/);
    expect(store.config.rag.topK).toBeUndefined();
  });
});

test('names that look like Ivy’s but are none are told', async () => {
  const { store } = await openStore('RAG_TOPK=3\nrag_top_k=3\nRAG_TOP_K=3\nKNOWLEDGE_AGENT_IMAGE=a/b\nSHELL=zsh\n');
  expect(store.unknown).toEqual(['RAG_TOPK', 'rag_top_k']);
});

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FAKE_ANTHROPIC_KEY, FakeAnthropic } from '../../e2e/upstreams/fake-anthropic';
import { FakeOllama } from '../../e2e/upstreams/fake-ollama';
import { matchModel, ProviderRegistry, type ProviderSettings } from './registry';

const ollama = new FakeOllama();
const anthropic = new FakeAnthropic();

beforeEach(async () => {
  await ollama.start();
  await anthropic.start();
});
afterEach(async () => {
  await ollama.stop();
  await anthropic.stop();
});

const registry = (change: Partial<ProviderSettings> = {}, model?: string) =>
  new ProviderRegistry({
    llmProvider: 'auto',
    ollama: { baseUrl: ollama.url, model, contextLength: 8192 },
    anthropic: { apiKey: FAKE_ANTHROPIC_KEY, model: 'claude-sonnet-5-5', baseUrl: anthropic.url },
    ...change,
  });

describe('auto', () => {
  test('is builtin until Ollama has a chat model, then local, and stays local through an outage', async () => {
    await ollama.stop();
    const providers = registry();
    expect([await providers.resolveAuto(), providers.active]).toEqual([false, 'builtin']);
    await ollama.start();
    expect([await providers.resolveAuto(), providers.active]).toEqual([true, 'local']);
    await ollama.stop();
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect([await providers.resolveAuto(), providers.active]).toEqual([false, 'local']);
  });

  test('stays local when something unrelated changes during an outage', async () => {
    const before = registry();
    await before.resolveAuto();
    await ollama.stop();
    const after = new ProviderRegistry(
      {
        llmProvider: 'auto',
        ollama: { baseUrl: ollama.url, model: undefined, contextLength: 4096 },
        anthropic: { apiKey: undefined, model: 'x', baseUrl: undefined },
      },
      before,
    );
    await after.resolveAuto();
    expect([after.active, after.activeModelName]).toEqual(['local', 'llama3.1:latest']);
  });

  test('does not count an embedding model', async () => {
    const [model] = ollama.models;
    ollama.models = [{ name: 'nomic-embed-text:latest', capabilities: ['embedding'], context_length: 2048, size: 1 }];
    const providers = registry();
    await providers.resolveAuto();
    ollama.models = model ? [model] : [];
    expect(providers.active).toBe('builtin');
  });

  test('keeps its first choice until that is gone, over restarts too, and tells of a change', async () => {
    const models = ollama.models;
    ollama.models = [];
    ollama.addChatModel('mistral:latest');
    const providers = registry();
    const changes: [string, string | undefined][] = [];
    providers.onAutoModel = (model, before) => changes.push([model, before]);
    await providers.resolveAuto();
    ollama.models = [];
    for (const name of ['newest:latest', 'llama3.1:8b', 'mistral:latest']) ollama.addChatModel(name);
    providers.ollama.forgetModels();
    expect((await providers.activeTarget()).model.id).toBe('mistral:latest');
    const restarted = registry();
    restarted.preferAuto('mistral:latest');
    await restarted.resolveAuto();
    expect((await restarted.activeTarget()).model.id).toBe('mistral:latest');
    ollama.models.pop();
    providers.ollama.forgetModels();
    const after = (await providers.activeTarget()).model.id;
    ollama.models = models;
    expect(changes).toEqual([
      ['mistral:latest', undefined],
      [after, 'mistral:latest'],
    ]);
  });

  test('never takes a model that runs elsewhere; such a one answers only when it is chosen', async () => {
    const models = ollama.models;
    ollama.models = [];
    ollama.addChatModel('gpt-oss:120b-cloud', { remote_host: 'https://ollama.example' });
    const providers = registry();
    await providers.resolveAuto();
    const ids = (await providers.list()).map(({ id }) => id);
    const found = providers.find('ollama/gpt-oss:120b-cloud').catch((error: Error) => error);
    const chosen = await registry({ llmProvider: 'local' }, 'gpt-oss:120b-cloud').activeTarget();
    expect(await found).toMatchObject({ code: 'permission_denied' });
    ollama.models = models;
    expect(providers.active).toBe('builtin');
    expect(ids).toEqual([]);
    expect(chosen.model.remote).toBe('https://ollama.example');
  });

  test('never becomes Claude, and asks Anthropic nothing, whatever is asked of Ivy', async () => {
    await ollama.stop();
    const before = anthropic.requests;
    const providers = registry();
    await providers.resolveAuto();
    expect((await providers.activeTarget()).provider.id).toBe('builtin');
    expect(await providers.list()).toEqual([]);
    expect(await providers.find('anthropic/claude-sonnet-5-5')).toBeUndefined();
    expect(anthropic.requests).toBe(before);
  });
});

describe('the active model', () => {
  test('is the configured one, also without its tag', async () => {
    ollama.addChatModel('qwen2.5:latest');
    const target = await registry({ llmProvider: 'local' }, 'qwen2.5').activeTarget();
    ollama.models.pop();
    expect(target.model.id).toBe('qwen2.5:latest');
  });

  test('is under auto the first chat model when the default is not installed', async () => {
    const models = ollama.models;
    ollama.models = [];
    ollama.addChatModel('mistral:latest');
    const providers = registry();
    await providers.resolveAuto();
    const target = await providers.activeTarget();
    const explicit = registry({ llmProvider: 'local' }).activeTarget();
    await expect(explicit).rejects.toMatchObject({ code: 'model_not_found' });
    ollama.models = models;
    expect(target.model.id).toBe('mistral:latest');
  });

  test('Claude without a key says what to do', async () => {
    const providers = registry({
      llmProvider: 'claude',
      anthropic: { apiKey: undefined, model: 'x', baseUrl: undefined },
    });
    await expect(providers.activeTarget()).rejects.toThrow(/ANTHROPIC_API_KEY/);
  });
});

describe('the list of models', () => {
  test('names every provider model and survives an outage', async () => {
    const providers = registry({ llmProvider: 'claude' });
    const ids = (await providers.list()).map(({ id }) => id);
    expect(ids).toEqual(['ollama/llama3.1:latest', 'anthropic/claude-sonnet-5-5', 'anthropic/claude-opus-5-5']);
    await ollama.stop();
    providers.ollama.forgetModels();
    expect((await providers.list()).map(({ id }) => id)).toEqual(ids);
  });

  test('an id of it can be found, another cannot', async () => {
    const providers = registry();
    expect((await providers.find('ollama/llama3.1'))?.model.id).toBe('llama3.1:latest');
    expect(await providers.find('ollama/nope')).toBeUndefined();
    expect(await providers.find('gpt-4')).toBeUndefined();
  });
});

test('an exact name wins over the one with the default tag', () => {
  const model = (id: string) => ({
    id,
    contextLength: 1,
    capabilities: { vision: false, tools: false, thinking: false, embedding: false },
  });
  expect(matchModel([model('a:latest'), model('a')], 'a')?.id).toBe('a');
});

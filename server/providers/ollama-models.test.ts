import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeOllama } from '../../e2e/upstreams/fake-ollama';
import { eventually, patience } from '../testing/collect';
import { checkModelName, OllamaModels } from './ollama-models';

const upstream = new FakeOllama();
let models: OllamaModels;

beforeEach(async () => {
  await upstream.start();
  upstream.pullStepMs = 1;
  upstream.pullFault = undefined;
  upstream.aborted = 0;
  models = new OllamaModels(upstream.url);
});
afterEach(() => upstream.stop());

describe('pulling', () => {
  test('sums the bytes of all layers and ends with success', async () => {
    const steps = [];
    for await (const step of models.pull('qwen2.5', patience())) steps.push(step);
    expect(steps.at(-1)).toEqual({ status: 'success', completedBytes: 4_000_012_000, totalBytes: 4_000_012_000 });
    expect(steps.find((step) => step.status.startsWith('pulling aaaa'))).toMatchObject({
      completedBytes: 0,
      totalBytes: 4_000_000_000,
    });
  });

  test('reports what Ollama reports, before and in the stream', async () => {
    const drain = async (name: string) => {
      for await (const _ of models.pull(name, patience()));
    };
    await expect(drain('missing-model')).rejects.toMatchObject({ code: 'upstream_error' });
    upstream.pullFault = 'error-line';
    await expect(drain('qwen2.5')).rejects.toThrow(/no space left/);
  });

  test('is cancelled by closing the connection', async () => {
    upstream.pullStepMs = 200;
    const controller = new AbortController();
    const pull = (async () => {
      for await (const _ of models.pull('qwen2.5', controller.signal)) controller.abort();
    })();
    await expect(pull).rejects.toMatchObject({ name: 'AbortError' });
    await eventually(() => upstream.aborted === 1);
  });
});

test('removing a model that is not there is a 404', async () => {
  await expect(models.remove('nope', patience())).rejects.toMatchObject({ code: 'model_not_found' });
});

describe('model names', () => {
  test.each(['llama3.1', 'qwen2.5:7b', 'someone/model:Q4_K_M'])('%s is one', (name) =>
    expect(checkModelName(` ${name} `)).toBe(name),
  );
  test.each(['evil.tld/x', 'http://evil/x', '../../x', 'a/../b', '', 'hf.co/a/b', 'a b', 'x\ny'])(
    '%j is refused',
    (name) => expect(() => checkModelName(name)).toThrow(/not a model name/),
  );
});

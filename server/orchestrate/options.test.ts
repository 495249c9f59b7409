import { describe, expect, test } from 'vitest';
import type { ChatProvider, ModelInfo } from '../core/chat';
import { runRequest } from '../testing/requests';
import { fitOptions } from './options';

const provider: ChatProvider = {
  id: 'ollama',
  grounding: 'prompt',
  local: true,
  generative: true,
  models: async () => [],
  ignores: ({ seed }) => (seed === undefined ? [] : ['seed']),
  async *stream() {},
};
const capabilities = { vision: false, tools: false, thinking: false, embedding: false };
const plain: ModelInfo = { id: 'plain', contextLength: 4096, maxOutputTokens: 100, capabilities };
const able: ModelInfo = { ...plain, capabilities: { ...capabilities, vision: true, tools: true, thinking: true } };
const tools = [{ name: 'f', description: undefined, parameters: {} }];
const image = { type: 'image', mediaType: 'image/png', data: 'aGk=' } as const;
const withImage = runRequest('', { messages: [{ role: 'user', content: [image] }] });

describe('a model that cannot do what is asked', () => {
  test('gets neither tools nor an effort, and the caller is told', () => {
    const options = { tools, toolChoice: 'auto', reasoningEffort: 'high', seed: 1, maxTokens: 900 } as const;
    const fitted = fitOptions(runRequest('x', { options }), provider, plain);
    expect(fitted.ignored).toEqual(['seed', 'tools', 'reasoningEffort']);
    expect(fitted.options).toEqual({ seed: 1, maxTokens: 100 });
  });

  test('refuses images and tools that must be called', () => {
    expect(() => fitOptions(withImage, provider, plain)).toThrow('messages[0].content: the model plain cannot see');
    const options = { tools, toolChoice: 'required' } as const;
    expect(() => fitOptions(runRequest('x', { options }), provider, plain)).toThrow('plain cannot call tools');
  });
});

test('a model that can gets all of it', () => {
  const options = { tools, toolChoice: 'required', reasoningEffort: 'high' } as const;
  expect(fitOptions({ ...withImage, options }, provider, able)).toEqual({ options, ignored: [] });
});

test('a background task never thinks', () => {
  const options = { reasoningEffort: 'high' } as const;
  expect(fitOptions(runRequest('x', { options, task: 'title' }), provider, able).options.reasoningEffort).toBe('none');
  expect(fitOptions(runRequest('x', { task: 'title' }), provider, plain)).toEqual({
    options: { reasoningEffort: 'none' },
    ignored: [],
  });
});

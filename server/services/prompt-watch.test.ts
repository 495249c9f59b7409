import { expect, test } from 'vitest';
import type { RunEvent } from '../core/run';
import { cited, retrieved } from '../testing/requests';
import { PromptWatch } from './prompt-watch';

const model: RunEvent = { type: 'step', step: 'model', provider: 'ollama', model: 'm', ignored: [] };
const found = retrieved({ passages: [cited(1)] });
const lost: RunEvent = { type: 'step', step: 'undelivered', model: 'm', reason: 'm read only 9 tokens.' };
const finish: RunEvent = { type: 'finish', reason: 'stop' };

test('a model that did not read its passages is remembered until it has read some', () => {
  const watch = new PromptWatch();
  watch.watcher()([found, model, lost, finish]);
  expect(watch.problems).toEqual(['m read only 9 tokens.']);
  // An answer without passages says nothing about them.
  watch.watcher()([retrieved({ state: 'off' }), model, finish]);
  expect(watch.problems).toHaveLength(1);
  const see = watch.watcher();
  see([found]);
  see([model]);
  see([finish]);
  expect(watch.problems).toEqual([]);
});

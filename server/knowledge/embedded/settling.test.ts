import { expect, test } from 'vitest';
import type { DocumentInfo, DocumentStatus } from '../../core/knowledge';
import { Settling } from './settling';

function setUp(status: DocumentStatus) {
  const state = { status, asked: 0, gone: false };
  const settling = new Settling({
    get: async (id) => {
      state.asked++;
      return state.gone ? undefined : ({ id, status: state.status } as DocumentInfo);
    },
  });
  return { state, settling };
}

test('a document that is done already is not waited for', async () => {
  const { settling } = setUp('failed');
  expect(await settling.wait('a', new AbortController().signal)).toMatchObject({ status: 'failed' });
});

test('is told once it is ready, has failed or is gone, and asks no more than it is told', async () => {
  const { settling, state } = setUp('queued');
  const waiting = settling.wait('a', new AbortController().signal);
  await new Promise((resolve) => setTimeout(resolve, 20));
  settling.tell('b');
  settling.tell('a');
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(state.asked).toBe(2);
  state.gone = true;
  settling.tell('a');
  expect(await waiting).toBeUndefined();
  expect(state.asked).toBe(3);
});

test('ends with its signal', async () => {
  const { settling } = setUp('queued');
  const stop = new AbortController();
  const waiting = settling.wait('a', stop.signal);
  stop.abort(new Error('the end'));
  await expect(waiting).rejects.toThrow('the end');
});

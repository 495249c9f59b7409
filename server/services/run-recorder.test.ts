import { describe, expect, test } from 'vitest';
import { AppError } from '../core/errors';
import type { RunEvent } from '../core/run';
import { openDatabase } from '../store/database';
import { RunRepository } from '../store/runs';
import { temporaryFolder } from '../testing/collect';
import { cited, runRequest } from '../testing/requests';
import { RunRecorder } from './run-recorder';

const principal = { id: 'k', kind: 'key', role: 'member', name: 'team' } as const;
const EVENTS: RunEvent[] = [
  { type: 'step', step: 'gate', retrieve: true, reason: 'a question' },
  { type: 'step', step: 'rewrite', question: 'And its mass?', query: 'What is its mass?', by: 'model' },
  { type: 'step', step: 'search', query: 'What is its mass?' },
  {
    type: 'retrieval',
    state: 'ok',
    query: 'What is its mass?',
    passages: [cited(1)],
    candidates: [{ id: 'a-1', source: 'a.pdf', page: 1, pageKind: 'page', score: 0.5, scores: { keyword: 3 } }],
    timings: { keyword: 1.5 },
    durationMs: 4,
  },
  { type: 'step', step: 'model', provider: 'ollama', model: 'm', ignored: [] },
  { type: 'text-delta', text: 'It is ' },
  { type: 'text-delta', text: '940 kg [1].' },
  { type: 'usage', usage: { promptTokens: 10, completionTokens: 4 } },
  {
    type: 'evidence',
    unchecked: 0,
    cited: true,
    sentences: [
      { text: 'It is 940 kg [1].', start: 0, end: 17, cites: [1], support: 0.2, outcome: 'differs', issues: [] },
    ],
  },
  { type: 'finish', reason: 'stop' },
];

const DAY_MS = 86_400_000;
const start = (id = 'req_1', question = 'And its mass?') =>
  new RunRecorder(runRequest(question, { user: 'u' }), { runId: id, principal }, 'c0ffee');

describe('a run', () => {
  test('is recorded with all that led to its answer, without the texts of passages', () => {
    const recorder = start();
    recorder.see(EVENTS);
    const record = recorder.end();
    expect(record).toMatchObject({
      id: 'req_1',
      caller: 'team',
      user: 'u',
      configuration: 'c0ffee',
      question: 'And its mass?',
      gate: { retrieve: true, reason: 'a question' },
      rewritten: { query: 'What is its mass?', by: 'model' },
      retrieval: { state: 'ok', candidates: [{ id: 'a-1' }], timings: { keyword: 1.5 } },
      answeredBy: { provider: 'ollama', model: 'm' },
      answer: 'It is 940 kg [1].',
      usage: { promptTokens: 10, completionTokens: 4 },
      finish: 'stop',
      error: null,
    });
    expect(record.retrieval?.passages[0]).not.toHaveProperty('text');
    expect(record.totalMs).toBeGreaterThanOrEqual(record.firstTokenMs ?? Number.POSITIVE_INFINITY);
  });

  test('of Open WebUI with files is recorded as what was asked, without the files', () => {
    const asked = '### Task:\n<context>a file</context>\n\nHow heavy is it?';
    expect(start('req_1', asked).end().question).toBe('How heavy is it?');
  });

  test('that was left or failed says so, with what there was', () => {
    const left = start();
    left.see(EVENTS.slice(0, 6));
    expect(left.end()).toMatchObject({ error: 'stopped', finish: null, answer: 'It is ' });
    const failed = start();
    failed.fail(new AppError('upstream_stalled', 'x'));
    expect(failed.end()).toMatchObject({ error: 'upstream_stalled' });
  });

  test('is kept as long as wanted, newest first', async () => {
    const database = await openDatabase(`${temporaryFolder()}/ivy.db`);
    const runs = new RunRepository(database);
    const started = Date.now();
    for (let n = 0; n < 5; n++) {
      const recorder = start(`req_${n}`);
      recorder.see(EVENTS);
      await runs.save({ ...recorder.end(), at: started - Math.floor(n / 2) * 2 * DAY_MS });
    }
    expect((await runs.list(2)).map(({ id, doubtful, state }) => [id, doubtful, state])).toEqual([
      ['req_1', 1, 'ok'],
      ['req_0', 1, 'ok'],
    ]);
    // The two of one moment stand on two pages.
    const [, , third] = await runs.list(5);
    expect(third?.id).toBe('req_3');
    expect((await runs.list(5, third)).map(({ id }) => id)).toEqual(['req_2', 'req_4']);
    expect((await runs.get('req_2'))?.answer).toBe('It is 940 kg [1].');
    await runs.trim(1);
    expect((await runs.list(9)).map(({ id }) => id)).toEqual(['req_1', 'req_0']);
    await runs.trim(0);
    expect(await runs.list(9)).toEqual([]);
    await database.destroy();
  });
});

import { describe, expect, test } from 'vitest';
import type { ModelEvent } from '../core/chat';
import type { Citation, RunEvent } from '../core/run';
import { collect } from '../testing/collect';
import { cited } from '../testing/requests';
import { type CitedAnswer, withCitations } from './cited-answer';

const passages = [
  cited(1, { text: 'The payload fairing is 4.0 m wide.', source: 'a.pdf', heading: undefined }),
  cited(2, { text: 'The payload fairing is 5.0 m wide.', source: 'b.pdf', documentId: 'doc_2', heading: undefined }),
];
async function* model(...events: ModelEvent[]): AsyncIterable<readonly ModelEvent[]> {
  for (const event of events) yield [event];
}
const say = (text: string): ModelEvent => ({ type: 'text-delta', text });
const finish: ModelEvent = { type: 'finish', reason: 'stop' };
const run = (events: readonly ModelEvent[], change: Partial<CitedAnswer> = {}): Promise<RunEvent[]> =>
  collect(
    withCitations(model(...events), { passages, first: 1, markers: true, everySentence: true, issued() {}, ...change }),
  );

describe('an answer with its citations', () => {
  test('ends with the conflicts of its passages and the check of its sentences, before the finish', async () => {
    const events = await run([say('It is 4.0 m wide [Docu'), say('ment 1].'), finish]);
    expect(events.map(({ type }) => type)).toEqual(['text-delta', 'text-delta', 'conflicts', 'evidence', 'finish']);
    expect(events[2]).toMatchObject({
      conflicts: [{ first: { n: 1, value: '4.0 m' }, second: { n: 2, value: '5.0 m' } }],
    });
    expect(events[3]).toMatchObject({ cited: true, unchecked: 0, sentences: [{ cites: [1], outcome: 'supported' }] });
  });

  test('tells what its markers are when it is over, also when it broke off', async () => {
    let issued: readonly Citation[] = [];
    const change = { issued: (_: string, citations: readonly Citation[]) => (issued = citations) };
    async function* broken(): AsyncIterable<readonly ModelEvent[]> {
      yield [say('It is wide [1]. And [')];
      throw new Error('cut');
    }
    const events: RunEvent[] = [];
    await expect(
      (async () => {
        const answer = { passages, first: 1, markers: true, everySentence: true, ...change };
        for await (const batch of withCitations(broken(), answer)) events.push(...batch);
      })(),
    ).rejects.toThrow('cut');
    expect(events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('')).toBe(
      'It is wide [1]. And [',
    );
    expect(issued).toEqual([{ n: 1, at: 11 }]);
  });

  test('whose provider cites by itself takes no text for a marker', async () => {
    const events = await run([say('T[2] and [1]'), { type: 'citation', passages: [2] }, finish], { markers: false });
    const text = events.flatMap((event) => (event.type === 'text-delta' ? [event] : []));
    expect(text.map((event) => event.text).join('')).toBe('T[2] and [1] [2]');
    expect(text.flatMap(({ cites = [] }) => cites)).toEqual([{ n: 2, at: 1 }]);
  });

  test('never loses its end to a check that fails, and says that nothing was checked', async () => {
    const events = await run([say('It is 4.0 m wide [1]. It is red.'), finish], {
      lookAgain: () => Promise.reject(new Error('out of memory')),
    });
    expect(events.slice(-2)).toEqual([{ type: 'evidence', sentences: [], unchecked: 2, cited: true }, finish]);
  });

  test('adds what a second look took to the usage, under its own name', async () => {
    const usage = { promptTokens: 50, completionTokens: 2 };
    const events = await run([say('It is 4.0 m wide [1].'), finish], {
      lookAgain: async (sentences) => ({ sentences: [...sentences], usage }),
    });
    expect(events).toContainEqual({ type: 'usage', call: 'second-look', usage });
  });
});

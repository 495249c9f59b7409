import { describe, expect, test } from 'vitest';
import type { Retrieval, RetrievalQuery, Retriever } from '../core/knowledge';
import { patience } from '../testing/collect';
import { passage } from '../testing/requests';
import { evaluate, toGoldenSet } from './evaluate';

describe('golden questions', () => {
  test('are read from CSV, with or without heads and pages', () => {
    expect(toGoldenSet('Question,Document,Page\nHow heavy?,a.pdf,3\n\n"What, then?",b.md,\n')).toEqual([
      { question: 'How heavy?', source: 'a.pdf', page: 3 },
      { question: 'What, then?', source: 'b.md', page: undefined },
    ]);
    expect(toGoldenSet('How heavy?;a.pdf;3')).toHaveLength(1);
    expect(toGoldenSet('')).toEqual([]);
  });

  test.each([
    ['How heavy?,a.pdf,3\nonly a question', 'Row 2 needs a question and the name of its document.'],
    ['How heavy?,a.pdf,three', 'Row 1 has the page “three”, which is no number.'],
    ['x,a.pdf\n'.repeat(501), 'These are 501 questions; at most 500 are possible.'],
  ])('%j are refused', (csv, message) => expect(() => toGoldenSet(csv.slice(0, 5_000))).toThrow(message));
});

test('the place of the right page is found, with all stages and with words alone', async () => {
  const asked: RetrievalQuery[] = [];
  const pages = (...numbers: number[]) => numbers.map((page) => passage({ id: `p${page}`, source: 'a.pdf', page }));
  const retriever: Retriever = {
    retrieve: async (query) => {
      asked.push(query);
      const found = query.text === 'nothing' ? [] : query.stages ? pages(1, 2, 3, 4, 5, 6) : pages(6, 1);
      return { state: 'ok', reason: undefined, passages: found, candidates: [], timings: {}, durationMs: 1 };
    },
  };
  const questions = toGoldenSet('six,a.pdf,6\nany,a.pdf,\nnothing,a.pdf,1\nother,b.pdf,1');
  const search = { retriever, stages: true, configuration: 'c' };
  const { all, words, questions: judged } = await evaluate(questions, search, patience());
  expect(judged.map(({ place, wordsPlace }) => [place, wordsPlace])).toEqual([
    [1, 6],
    [1, 1],
    [null, null],
    [null, null],
  ]);
  expect(judged[3]?.first).toEqual({ source: 'a.pdf', page: 6, score: 0.8542 });
  expect(all).toEqual({ first: 0.5, firstFive: 0.5, reciprocalRank: 0.5 });
  expect(words).toEqual({ first: 0.25, firstFive: 0.25, reciprocalRank: (1 / 6 + 1) / 4 });
  // The threshold of answers does not hide what is there.
  expect(asked[0]).toMatchObject({ minScore: 0, limit: 10 });
  const agent = await evaluate(questions.slice(0, 1), { ...search, stages: false }, patience());
  expect([agent.words, agent.questions[0]?.wordsPlace]).toEqual([undefined, undefined]);
});

test('a search that is not complete is no measurement', async () => {
  const degraded = { state: 'degraded', reason: 'The model is down.', passages: [] } as unknown as Retrieval;
  const retriever: Retriever = { retrieve: async () => degraded };
  const search = { retriever, stages: true, configuration: 'c' };
  await expect(evaluate(toGoldenSet('q,a.pdf'), search, patience())).rejects.toThrow('The model is down.');
});

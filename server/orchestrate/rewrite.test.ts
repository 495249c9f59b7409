import { describe, expect, test } from 'vitest';
import type { ChatProvider, ChatRequest, ModelEvent } from '../core/chat';
import { patience } from '../testing/collect';
import { assistantMessage, userMessage } from '../testing/requests';
import { joinWords, leansOnConversation, Rewriter } from './rewrite';

const EARLIER = [
  userMessage('What is the payload fairing design of Hedera 2?'),
  assistantMessage('It is a two-part shell with a diameter of 4 m.'),
];

describe('a question leans on the conversation', () => {
  test.each([
    'And its mass?',
    'Why?',
    'What about the second stage?',
    'How heavy is it?',
    'Und seine Masse?',
    'the mass',
    'Et quelle est sa pression ?',
    '¿Y cuál es su masa?',
    'E la sua massa?',
    '它有多重？',
    'その質量は？',
  ])('%j does', (text) => expect(leansOnConversation(text, EARLIER)).toBe(true));

  test.each([
    'What is the clamp band preload?',
    'Clamp band preload',
    'Is there a requirement on venting?',
    'HED-FAI-REQ-0140',
    '密封圈的质量是多少？',
    'Quelle est la pression du réservoir d’hélium ?',
    'And HED-FAI-REQ-0140?',
    'Which loads act on the structure while the motors of the second stage burn, and how are they combined with those of the first?',
  ])('%j does not', (text) => expect(leansOnConversation(text, EARLIER)).toBe(false));

  test('nothing does without one', () => expect(leansOnConversation('And its mass?', [])).toBe(false));
});

test('without a model the words of the earlier questions join in', () => {
  expect(joinWords('And its mass?', EARLIER)).toBe('And its mass? payload fairing design Hedera');
  expect(joinWords('And the fairing?', [userMessage('x'), ...EARLIER])).toBe('And the fairing? payload design Hedera');
});

describe('a model', () => {
  const model = {
    id: 'm',
    contextLength: 8192,
    capabilities: { vision: false, tools: true, thinking: false, embedding: false },
  };
  function target(
    answer: (request: ChatRequest, signal: AbortSignal) => AsyncIterable<readonly ModelEvent[]>,
    id: ChatProvider['id'] = 'ollama',
  ) {
    const requests: ChatRequest[] = [];
    const provider: ChatProvider = {
      id,
      grounding: 'prompt',
      local: id !== 'anthropic',
      generative: id !== 'builtin',
      models: async () => [model],
      ignores: () => [],
      stream(request, signal) {
        requests.push(request);
        return answer(request, signal);
      },
    };
    return { requests, target: Promise.resolve({ provider, model }) };
  }
  const says = (text: string) =>
    async function* (): AsyncIterable<readonly ModelEvent[]> {
      yield [{ type: 'text-delta', text }];
      yield [{ type: 'usage', usage: { promptTokens: 50, completionTokens: 8 } }];
    };

  test.each([
    'What is the mass of the Hedera 2 payload fairing?',
    '"What is the mass of the Hedera 2 payload fairing?"\n\nI kept the units.',
    'Rewritten question: What is the mass of the Hedera 2 payload fairing?',
  ])('that answers %j decides', async (text) => {
    const { target: to, requests } = target(says(text));
    expect(await new Rewriter().rewrite('And its mass?', EARLIER, to, patience())).toEqual({
      query: 'What is the mass of the Hedera 2 payload fairing?',
      by: 'model',
      usage: { promptTokens: 50, completionTokens: 8 },
    });
    expect(JSON.stringify(requests[0]?.messages)).toContain('Last question: And its mass?');
    expect(requests[0]?.options).toMatchObject({ temperature: 0 });
  });

  const fallback = { query: joinWords('And its mass?', EARLIER), by: 'words' };

  test.each(['', 'x'.repeat(2_000)])('that answers nonsense does not', async (text) => {
    expect(await new Rewriter().rewrite('And its mass?', EARLIER, target(says(text)).target, patience())).toEqual(
      fallback,
    );
  });

  test.each([
    ['loses an identifier', 'And HED-FAI-REQ-0140 of it?', 'What does HED-FAI-REQ-0150 say?'],
    ['loses a number', 'And its mass at 3.2 bar?', 'What is the mass of the payload fairing?'],
    ['repeats its answer', 'And its mass?', 'It is a two-part shell with a diameter of 4 m.'],
  ])('that %s is not believed', async (_what, question, answer) => {
    expect(await new Rewriter().rewrite(question, EARLIER, target(says(answer)).target, patience())).toEqual({
      query: joinWords(question, EARLIER),
      by: 'words',
    });
  });

  test('that runs elsewhere is not asked', async () => {
    const { target: to, requests } = target(says('What is the mass of the payload fairing?'));
    const elsewhere = to.then(({ provider, model: here }) => ({
      provider,
      model: { ...here, remote: 'https://ollama.example' },
    }));
    expect(await new Rewriter().rewrite('And its mass?', EARLIER, elsewhere, patience())).toEqual(fallback);
    expect(requests).toEqual([]);
  });

  test('that fails or is too slow is not asked again for a while', async () => {
    let now = 0;
    const rewriter = new Rewriter(() => now);
    const slow = target(async function* (_request, signal): AsyncIterable<readonly ModelEvent[]> {
      yield* await new Promise<ModelEvent[][]>((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason)),
      );
    });
    const started = performance.now();
    expect(await rewriter.rewrite('And its mass?', EARLIER, slow.target, patience())).toEqual(fallback);
    expect(performance.now() - started).toBeGreaterThan(1_500);
    expect(await rewriter.rewrite('And its mass?', EARLIER, slow.target, patience())).toEqual(fallback);
    expect(slow.requests).toHaveLength(1);
    now += 10 * 60_000;
    const quick = target(says('What is its mass?'));
    expect(await rewriter.rewrite('And its mass?', EARLIER, quick.target, patience())).toMatchObject({ by: 'model' });
  });

  test('is not asked by quoting, nor when it is missing; a caller who leaves ends it', async () => {
    const quoting = target(says('x y z'), 'builtin');
    expect(await new Rewriter().rewrite('And its mass?', EARLIER, quoting.target, patience())).toEqual(fallback);
    expect(quoting.requests).toEqual([]);
    const missing = Promise.reject(new Error('not installed'));
    expect(await new Rewriter().rewrite('And its mass?', EARLIER, missing, patience())).toEqual(fallback);
    const gone = AbortSignal.abort(new Error('left'));
    const stopped = target(async function* (_request, signal): AsyncIterable<readonly ModelEvent[]> {
      signal.throwIfAborted();
      yield [];
    });
    await expect(new Rewriter().rewrite('And its mass?', EARLIER, stopped.target, gone)).rejects.toThrow('left');
  });
});

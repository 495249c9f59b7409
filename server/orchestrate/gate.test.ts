import { expect, test } from 'vitest';
import { runRequest, userMessage } from '../testing/requests';
import { decideGate } from './gate';

const all = { profile: true, documents: true };

test.each([
  'What is the payload fairing design?',
  '5.3.2.1',
  'cES1001',
  'SSR24 meaning',
  '密封圈有多重？',
  'バネの質量は？',
  'มวลของสปริง',
])('%s is searched for', (text) =>
  expect(decideGate(runRequest(text), all)).toEqual({ retrieve: true, query: text, reason: 'a question' }),
);

test.each(['hi', 'Hello Ivy!', 'Thanks', 'good morning', 'mass?', '   '])('%j is not', (text) =>
  expect(decideGate(runRequest(text), all).retrieve).toBe(false),
);

test('the caller, the model, a task, a tool result and an empty store each switch it off, and say why', () => {
  const text = 'What is the payload fairing design?';
  const toolTurn = [
    userMessage(text),
    { role: 'assistant' as const, text: '', toolCalls: [] },
    { role: 'tool' as const, toolCallId: 'x', text: '4 m' },
  ];
  expect(decideGate(runRequest(text, { rag: { enabled: false } }), all).reason).toMatch(/this request/);
  expect(decideGate(runRequest(text), { ...all, profile: false }).reason).toMatch(/without retrieval/);
  expect(decideGate(runRequest(text, { task: 'title_generation' }), all).reason).toMatch(/background task/);
  expect(decideGate(runRequest(text, { messages: toolTurn }), all).reason).toMatch(/tool call/);
  expect(decideGate(runRequest(text), { ...all, documents: false }).reason).toMatch(/no documents/);
});

test('a long run of marks is no greeting, and is seen at once', () =>
  expect(decideGate(runRequest(`hi${'!'.repeat(100_000)}x`), all).retrieve).toBe(true));

test('the query is the last user message, after the context that Open WebUI puts before it', () => {
  const text =
    '### Task:\nRespond…\n<context>\n<source id="1">x</source>\n</context>\n\nWhat is the mass of the fairing?';
  expect(decideGate(runRequest('', { messages: [userMessage('first'), userMessage(text)] }), all).query).toBe(
    'What is the mass of the fairing?',
  );
});

test('of a question with megabytes of text both ends are searched for', () => {
  const { query } = decideGate(runRequest(`Where is the mass?\n${'log line\n'.repeat(200_000)}Is it 92 t?`), all);
  expect(query.length).toBe(8_000);
  expect(query).toMatch(/^Where is the mass\?/);
  expect(query).toMatch(/Is it 92 t\?$/);
});

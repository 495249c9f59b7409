import { expect, test } from 'vitest';
import { assistantMessage, userMessage } from '../testing/requests';
import { ownSources } from './own-context';

test.each([
  ['<context>\n<source id="1" name="a">x</source>\n<source id="2" name="b">y</source>\n</context>\nQuestion?', 2],
  ['<document index="1">x</document><document index="2">y</document>', 2],
  ['Context:\n[1] Alpha is blue.\n[2] Beta is red.\n\nWhich is blue?', 2],
  ['[Document 1 - a.pdf Page 3]:\n(Score: 0.9)\ntext\n\n[Document 2 - b.pdf Page 1]:\ntext', 2],
  ['Source 1: alpha\nSource 2: beta\nSource 3: gamma', 3],
  ['[doc1] alpha\n[doc2] beta', 2],
  ['What does ADDR[15] mean, and T[1]?', 0],
  ['[95] is the last entry of the list\n[96] too', 0],
  ['The list is:\n1. alpha\n2. beta', 0],
  ['', 0],
])('%j holds %i numbered sources of the client', (text, count) => expect(ownSources([userMessage(text)])).toBe(count));

test('earlier answers are no sources', () => {
  expect(ownSources([assistantMessage('[1] Alpha\n[2] Beta'), userMessage('Which?')])).toBe(0);
});

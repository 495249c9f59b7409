import { expect, test } from 'vitest';
import { fromEmbeddings, toEmbeddings } from './embeddings';

test('a text or a list of texts is taken, float unless base64 is asked for', () => {
  expect(fromEmbeddings({ model: 'm', input: 'a' })).toEqual({
    request: { model: 'm', inputs: ['a'] },
    encoding: 'float',
  });
  expect(fromEmbeddings({ model: 'm', input: ['a', 'b'], encoding_format: 'base64', dimensions: 8 })).toEqual({
    request: { model: 'm', inputs: ['a', 'b'], dimensions: 8 },
    encoding: 'base64',
  });
});

test.each([[undefined], [''], [[]], [['a', '']], [[1, 2, 3]], [[[1, 2]]], [{ text: 'a' }]])(
  'input %j is a 400',
  (input) => {
    expect(() => fromEmbeddings({ model: 'm', input })).toThrow(
      expect.objectContaining({ status: 400, param: 'input' }),
    );
  },
);

test('base64 holds 32-bit floats, little-endian', () => {
  const reply = toEmbeddings({ vectors: [[1, -0.5]], promptTokens: 3 }, 'm', 'base64');
  expect(reply).toEqual({
    object: 'list',
    data: [{ object: 'embedding', index: 0, embedding: 'AACAPwAAAL8=' }],
    model: 'm',
    usage: { prompt_tokens: 3, total_tokens: 3 },
  });
});

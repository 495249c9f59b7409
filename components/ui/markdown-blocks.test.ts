import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toMarkdownBlocks } from './markdown-blocks';

const plain = (text: string) => toMarkdownBlocks(text).some((block) => block.plain);

test('the parts are the text, and each knows where it begins', () => {
  const piece = fc.constantFrom('word ', '\n', '\n\n', '# a\n', '- b\n', '```\n', '| c |\n', '> d\n', 'x'.repeat(700));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const text = pieces.join('');
      const blocks = toMarkdownBlocks(text);
      expect(blocks.map((block) => block.text).join('')).toBe(text);
      for (const { start, text: part } of blocks) expect(text.startsWith(part, start)).toBe(true);
    }),
  );
});

test('a part ends between paragraphs only: not within code, a list, a table', () => {
  const long = 'word '.repeat(400);
  expect(toMarkdownBlocks(`${long}\n\n${long}`)).toHaveLength(2);
  expect(toMarkdownBlocks(`- ${long}\n\n  ${long}\n\n- ${long}`)).toHaveLength(1);
  expect(toMarkdownBlocks(`\`\`\`\n${long}\n\n${long}\n\`\`\``)).toHaveLength(1);
});

describe('what a parser or a browser cannot take is shown as it is written:', () => {
  test.each([
    ['a paragraph without end', '*a_'.repeat(3_000)],
    ['quotations within quotations', `${'>'.repeat(100)} a`],
    ['lists within lists', `${'- '.repeat(100)}a`],
    ['lists within quotations', `${'- > '.repeat(40)}a`],
    ['a table that is wide and long', `${'|a'.repeat(200)}|\n${'|-'.repeat(200)}|\n${'|\n'.repeat(200)}`],
  ])('%s', (_, text) => expect(plain(text)).toBe(true));
});

test.each([
  ['an answer', '# Fairing\n\nIt is **4 m** wide [1].\n\n- one\n  - two\n    - three\n\n> quoted\n\n---\n\n***\n'],
  ['a table', `| a | b | c |\n|---|---|---|\n${'| 1 | 2 | 3 |\n'.repeat(200)}`],
  ['long code', `\`\`\`c\n${'int a[1];\n'.repeat(2_000)}\`\`\``],
  ['a long answer', 'A paragraph of words.\n\n'.repeat(2_000)],
])('%s is Markdown', (_, text) => expect(plain(text)).toBe(false));

test('however large, the text is looked at once', () => {
  for (const piece of ['>', '- ', '|', '\n', '`', '*a_', 'x\n\n'])
    toMarkdownBlocks(piece.repeat(2_000_000 / piece.length));
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { patience, unmanagedFolder } from '../../testing/collect';
import {
  docx,
  epub,
  escapeXml,
  odt,
  pdfOfPages,
  pptx,
  wordBody,
  wordParagraph,
  xlsx,
} from '../../testing/document-files';
import { root } from '../../testing/knowledge';
import { detectMediaType } from './media-type';
import { UnreadableDocument } from './parsed';
import { ParserProcess } from './parser-process';

const SIZE = 300_000;
const PIECES = [' ', '\n', '#', '|', '[', '*', '<', '&', '-', '.', '(', '`', '"', '_', '§', 'a', '1', '1.', '漢', 'ก'];
const PIECES_OF_LINES = [
  '# \n',
  '- a\n',
  '|a|\n',
  '> ',
  '1. 1\n',
  '\t',
  '\r\n',
  '{\\b ',
  'a-\n',
  '~~~\n',
  '**a',
  'From: a\n',
];

/** The parser's strings escape these. */
const pdfString = (text: string) => text.replace(/[\\()]/g, '\\$&').replace(/\s/g, ' ');

const FORMATS: Record<string, (text: string) => string | Buffer> = {
  'a.txt': (text) => text,
  'a.md': (text) => `# Title\n\n${text}`,
  'a.csv': (text) => `a;b\n${text}`,
  'a.html': (text) => `<!doctype html><p>${text}`,
  'b.html': (text) => `<!doctype html><table><tr><td>${escapeXml(text)}</td></tr></table>`,
  'a.eml': (text) => `From: a@example.org\r\nTo: b@example.org\r\nSubject: x\r\nMIME-Version: 1.0\r\n\r\n${text}`,
  'b.eml': (text) => `From: a@example.org\r\nTo: b@example.org\r\nSubject: ${text}`,
  'a.rtf': (text) => `{\\rtf1\\ansi ${text}}`,
  'a.docx': (text) => docx(wordBody(wordParagraph(text))),
  'b.docx': (text) => docx(wordBody(text.slice(0, 20_000).split('').map(wordParagraph).join(''))),
  'a.odt': (text) => odt(`<text:p>${escapeXml(text)}</text:p>`),
  'a.xlsx': (text) => xlsx(`<x:row r="1"><x:c r="A1" t="str"><x:v>${escapeXml(text)}</x:v></x:c></x:row>`),
  'a.pptx': (text) => pptx(text),
  'a.epub': (text) => epub(`<h1>Title</h1><p>${escapeXml(text)}</p>`),
  'a.pdf': (text) => pdfOfPages([`BT /F1 9 Tf 20 700 Td (${pdfString(text)}) Tj ET`]),
};

describe(`${SIZE} characters of one kind are read, or refused with a reason, in 5 seconds of processor time`, () => {
  const folder = unmanagedFolder();
  const parser = new ParserProcess(join(root, 'dist', 'parse-worker.mjs'), {
    processorSeconds: 5,
    partSeconds: 5,
    heapMb: 512,
    residentMb: 1024,
  });
  afterAll(() => {
    parser.close();
    folder.remove();
  });

  test.each(Object.keys(FORMATS))('%s', { timeout: 300_000 }, async (name) => {
    const failures: string[] = [];
    for (const piece of [...PIECES, ...PIECES_OF_LINES]) {
      const path = join(folder.path, name);
      const text = piece.repeat(Math.ceil(SIZE / piece.length));
      writeFileSync(path, FORMATS[name]?.(text) ?? '');
      try {
        const mediaType = await detectMediaType(path, name);
        if (!mediaType) failures.push(`${JSON.stringify(piece)}: not known`);
        else await parser.parse({ path, mediaType, source: name }, patience());
      } catch (error) {
        const fair = error instanceof UnreadableDocument && !/longer than|more memory|crashed/.test(error.message);
        if (!fair) failures.push(`${JSON.stringify(piece)}: ${error}`);
      }
    }
    expect(failures).toEqual([]);
  });
});

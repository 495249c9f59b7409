import { deflateSync } from 'node:zlib';
import { getDocumentProxy, getResolvedPDFJS } from 'unpdf';
import { expect, test } from 'vitest';
import { pdf } from '@/server/testing/document-files';
import { isTooMuch } from './drawing';

/** What pdf.js would draw of a page with this content. */
async function operatorsOf(content: string) {
  const stream = deflateSync(content).toString('latin1');
  const data = pdf(
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << >> >>',
    `<< /Length ${stream.length} /Filter /FlateDecode >>\nstream\n${stream}\nendstream`,
  );
  const document = await getDocumentProxy(new Uint8Array(data));
  const page = await document.getPage(1);
  const operators = await page.getOperatorList();
  const { OPS } = await getResolvedPDFJS();
  return { bytes: data.length, tooMuch: isTooMuch(operators, OPS.constructPath) };
}

test('a page of a few kilobytes that draws one path for minutes is too much', async () => {
  const { bytes, tooMuch } = await operatorsOf(`0 0 m ${'0 800 500 0 500 800 c 500 0 0 800 0 0 c '.repeat(10_000)} S`);
  expect(bytes).toBeLessThan(8_000);
  expect(tooMuch).toBe(true);
});

test('a page with many lines and some curves is not', async () => {
  const lines = `0 0 m ${'10 10 l 20 5 l '.repeat(15_000)} S`;
  expect((await operatorsOf(lines)).tooMuch).toBe(false);
  expect((await operatorsOf(`0 0 m ${'0 8 5 0 5 8 c '.repeat(500)} S `.repeat(20))).tooMuch).toBe(false);
});

test('a page with operators without end is too much', () => {
  expect(isTooMuch({ fnArray: Array.from({ length: 200_001 }, () => 1), argsArray: [] }, 91)).toBe(true);
});

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getDocumentProxy } from 'unpdf';
import { UnreadableDocument } from '../parsed';
import type { PageRange } from './pdf';

interface Read {
  total: number;
  pages: { page: number; text: string }[];
}

/** The tables of Asian character sets lie beside the built worker, and in the package while developing. */
function characterMaps(): string {
  const built = fileURLToPath(new URL('./cmaps/', import.meta.url));
  return existsSync(built) ? built : join(process.cwd(), 'node_modules', 'pdfjs-dist', 'cmaps/');
}

/** A second reader, pdf.js: for files the first one refuses, and for fonts that need the tables it has. */
export async function readWithPdfJs(content: Buffer, range?: PageRange, only?: readonly number[]): Promise<Read> {
  try {
    const document = await getDocumentProxy(new Uint8Array(content), {
      isEvalSupported: false,
      verbosity: 0,
      cMapUrl: characterMaps(),
      cMapPacked: true,
    });
    const total = document.numPages;
    const { from, to } = range ?? { from: 1, to: total };
    const pages: Read['pages'] = [];
    for (let page = from; page <= Math.min(to, total); page++) {
      if (only && !only.includes(page)) continue;
      const { items } = await (await document.getPage(page)).getTextContent();
      const text = items.map((item) => ('str' in item ? item.str + (item.hasEOL ? '\n' : '') : '')).join('');
      pages.push({ page, text });
    }
    await document.destroy();
    return { total, pages };
  } catch (error) {
    if (/password/i.test(String(error))) {
      throw new UnreadableDocument('The PDF is protected by a password. Remove the protection and add it again.');
    }
    throw new UnreadableDocument('The PDF is damaged and cannot be read.', { cause: error });
  }
}

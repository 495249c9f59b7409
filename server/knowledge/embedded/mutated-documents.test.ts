import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { patience, temporaryFolder } from '../../testing/collect';
import { docx, odt, wordBody, wordParagraph } from '../../testing/document-files';
import { root } from '../../testing/knowledge';
import { detectMediaType, UnsupportedFile } from './media-type';
import { UnreadableDocument } from './parsed';
import { ParserProcess } from './parser-process';

/** `IVY_FUZZ_DOCUMENTS=5000 npx vitest run mutated-documents` is the long form. */
const COUNT = Number(process.env['IVY_FUZZ_DOCUMENTS'] ?? 1_000);

/** The same numbers at every run, so that a failure can be looked at. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

type Mutation = (content: Buffer, random: (below: number) => number, other: Buffer) => Buffer;

const MUTATIONS: Record<string, Mutation> = {
  'bits flipped': (content, random) => {
    const mutant = Buffer.from(content);
    for (let flips = 1 + random(40); flips > 0; flips--) {
      const at = random(mutant.length);
      mutant[at] = (mutant[at] ?? 0) ^ (1 << random(8));
    }
    return mutant;
  },
  'cut off': (content, random) => content.subarray(0, 1 + random(content.length)),
  'a piece removed': (content, random) => {
    const at = random(content.length);
    return Buffer.concat([content.subarray(0, at), content.subarray(at + random(2_000))]);
  },
  'a piece repeated': (content, random) => {
    const at = random(content.length);
    const piece = content.subarray(at, at + random(2_000));
    return Buffer.concat([content.subarray(0, at), piece, piece, piece, content.subarray(at)]);
  },
  'zeros written over it': (content, random) => {
    const mutant = Buffer.from(content);
    const at = random(mutant.length);
    mutant.fill(0, at, Math.min(mutant.length, at + random(4_000)));
    return mutant;
  },
  'spliced with another': (content, random, other) =>
    Buffer.concat([content.subarray(0, random(content.length)), other.subarray(random(other.length))]),
  'numbers made huge': (content, random) => {
    const text = content.toString('latin1');
    const numbers = [...text.matchAll(/\b\d{1,6}\b/g)];
    const chosen = numbers[random(Math.max(1, numbers.length))];
    if (!chosen) return content;
    const huge = String(2 ** (20 + random(44)));
    return Buffer.from(text.slice(0, chosen.index) + huge + text.slice(chosen.index + chosen[0].length), 'latin1');
  },
};

const TEXT = 'The separation spring of the payload fairing pushes with 3.2 kN over 40 mm, at most 6 bar. '.repeat(8);
/** Formats that the fixtures do not have. */
const WRITTEN: Record<string, string | Buffer> = {
  'a.docx': docx(
    wordBody(
      `${wordParagraph(TEXT)}<w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val="2"/></w:tcPr>${wordParagraph('Mass')}</w:tc></w:tr><w:tr><w:tc>${wordParagraph('3')}</w:tc><w:tc>${wordParagraph('kg')}</w:tc></w:tr></w:tbl>`,
    ),
  ),
  'a.odt': odt(
    `<text:h text:outline-level="1">Springs</text:h><text:p>${TEXT}</text:p><table:table><table:table-row><table:table-cell table:number-columns-repeated="3"><text:p>7</text:p></table:table-cell></table:table-row></table:table>`,
  ),
  'a.rtf': `{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0 Arial;}}\\f0 ${TEXT}\\par\\trowd Part\\cell Mass\\cell\\row H\\u228?lfte \\'fc\\par}`,
  'a.html': `<!doctype html><title>T</title><h1>Springs</h1><p>${TEXT}</p><table><tr><td rowspan="2">a<td>b<tr><td>c</table>`,
  'a.eml': `From: a@example.org\r\nTo: b@example.org\r\nSubject: =?utf-8?Q?Sp=C3=A4ne?=\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n${TEXT}\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>${TEXT}</p>\r\n--b--\r\n`,
  'a.csv': `Part;Mass\n${'"Spring; upper";3,2\n'.repeat(40)}`,
};

test(`${COUNT} mutated documents neither crash nor hang the reader, and each failure has a reason`, async () => {
  const samples = join(root, 'samples');
  const fixtures = join(root, 'server', 'testing', 'fixtures');
  const originals = [
    ...readdirSync(samples).map((name) => [name, join(samples, name)] as const),
    ...readdirSync(fixtures).map((name) => [name, join(fixtures, name)] as const),
  ]
    .filter(([name]) => /\.(pdf|md|pptx|xlsx|epub)$/.test(name))
    .map(([name, path]) => ({ name, content: readFileSync(path) }));
  originals.push(...Object.entries(WRITTEN).map(([name, content]) => ({ name, content: Buffer.from(content) })));
  const parser = new ParserProcess(join(root, 'dist', 'parse-worker.mjs'), {
    processorSeconds: 20,
    heapMb: 512,
    residentMb: 1024,
  });
  onTestFinished(() => parser.close());
  const path = join(temporaryFolder(), 'mutant');
  const random = randomNumbers(20_261_125);
  const kinds = Object.entries(MUTATIONS);
  const outcomes = { read: 0, unreadable: 0, refused: 0 };
  const odd: string[] = [];
  for (let n = 0; n < COUNT; n++) {
    const original = originals[n % originals.length];
    const other = originals[random(originals.length)];
    const [kind, mutate] = kinds[n % kinds.length] ?? [];
    if (!original || !other || !mutate) throw new Error('there is nothing to mutate');
    writeFileSync(path, mutate(original.content, random, other.content));
    const where = `${n}: ${original.name}, ${kind}`;
    try {
      const mediaType = await detectMediaType(path, original.name);
      if (!mediaType) {
        outcomes.refused += 1;
        continue;
      }
      const { passages } = await parser.parse({ path, mediaType, source: original.name }, patience());
      if (passages.some(({ text, start, end }) => text.trim() === '' || start > end))
        odd.push(`${where}: an odd passage`);
      outcomes.read += 1;
    } catch (error) {
      if (error instanceof UnsupportedFile) outcomes.refused += 1;
      else if (error instanceof UnreadableDocument && /^[A-Z].{10,}\.$/s.test(error.message)) outcomes.unreadable += 1;
      else odd.push(`${where}: ${error}`);
      if (/longer than|more memory|crashed/.test(String(error))) odd.push(`${where}: ${error}`);
    }
  }
  expect(odd).toEqual([]);
  // The mutations reach both what is still readable and what is not.
  expect(outcomes.read).toBeGreaterThan(COUNT / 10);
  expect(outcomes.unreadable).toBeGreaterThan(COUNT / 20);
}, 600_000);

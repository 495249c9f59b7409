import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { patience, temporaryFolder } from '../../testing/collect';
import { pdfOfLines } from '../../testing/document-files';
import { root } from '../../testing/knowledge';
import { DOCX } from './media-type';
import { UnreadableDocument } from './parsed';
import { type ParserLimits, ParserProcess, TakesLong } from './parser-process';

const worker = join(root, 'dist', 'parse-worker.mjs');
const limits: Partial<ParserLimits> = { processorSeconds: 20, heapMb: 256, residentMb: 1024 };

function start(path: string, change: Partial<ParserLimits> = {}): ParserProcess {
  const parser = new ParserProcess(path, { ...limits, ...change });
  onTestFinished(() => parser.close());
  return parser;
}

/** A stand-in for the worker that does what the test says with every job. */
function script(code: string): string {
  const path = join(temporaryFolder(), 'worker.mjs');
  writeFileSync(path, code);
  return path;
}

const job = { path: '/nowhere', mediaType: 'text/plain' as const, source: 'test.txt' };

describe('a reader process', () => {
  test('reads a PDF of 2,000 pages, and 40 MB of text', { timeout: 240_000 }, async () => {
    const path = join(temporaryFolder(), 'long.pdf');
    writeFileSync(
      path,
      pdfOfLines(Array.from({ length: 2_000 }, (_, n) => `${n + 1}. The value of item ${n + 1} shall be ${n} mm.`)),
    );
    const parser = start(worker, { processorSeconds: 300, heapMb: 1024, residentMb: 1536 });
    const read = await parser.parse({ path, mediaType: 'application/pdf', source: 'long.pdf' }, patience());
    expect(read.document.pages).toHaveLength(2_000);
    expect(read.document.pages.at(-1)?.text).toContain('item 2000 shall be 1999 mm');
    const paragraph =
      'The fairing separates above 110 km, and its mass is 940 kg in all configurations of flight. '.repeat(10);
    const text = join(temporaryFolder(), 'long.txt');
    writeFileSync(text, Array.from({ length: 45_000 }, (_, n) => `REQ-${n} ${paragraph}`).join('\n\n'));
    const prose = await parser.parse({ path: text, mediaType: 'text/plain', source: 'long.txt' }, patience());
    expect(prose.passages.at(-1)?.text).toContain('REQ-44999');
  });

  const spin = "process.on('message', () => { for (;;); })";

  test.runIf(process.platform === 'linux')(
    'that takes too much processor time is ended, and the next job gets a new one',
    async () => {
      const parser = start(script(spin), { processorSeconds: 0.3 });
      await expect(parser.parse(job, patience())).rejects.toThrow('longer than 0.3 s');
      await expect(parser.parse(job, patience())).rejects.toThrow('longer than 0.3 s');
    },
  );

  test.runIf(process.platform === 'linux')('that only waits is no fault of the file, up to a point', async () => {
    const late =
      "process.on('message', () => setTimeout(() => process.send({ ok: true, document: {}, passages: [] }), 700))";
    expect(await start(script(late), { processorSeconds: 0.3 }).parse(job, patience())).toMatchObject({ ok: true });
    await expect(
      start(script("process.on('message', () => {})"), { stalledSeconds: 0.5 }).parse(job, patience()),
    ).rejects.toThrow('does not come to an end');
  });

  test.runIf(process.platform === 'linux')('with a hard file lets others go first, when they wait', async () => {
    const parser = start(script(spin), { patienceSeconds: 0.2, processorSeconds: 0.6 });
    await expect(parser.parse(job, patience(), { patient: false })).rejects.toBeInstanceOf(TakesLong);
    await expect(parser.parse(job, patience(), { patient: true })).rejects.toThrow('longer than 0.6 s');
  });

  test.runIf(process.platform === 'linux')(
    'of a PDF that cannot be read as a whole reads it in parts, and says which are missing',
    async () => {
      const parts = `process.on('message', ({ part }) => {
      if (!part || part.from === 26) for (;;);
      const pages = [{ page: part.from, heading: null, text: 'text' }];
      process.send({ ok: true, language: null, passages: [{ page: part.from }], document: { title: null, pageKind: 'page', pages, notice: null, total: 60 } });
    })`;
      const parser = start(script(parts), { processorSeconds: 0.3, partSeconds: 0.3 });
      const read = await parser.parse({ ...job, mediaType: 'application/pdf' }, patience());
      expect(read.document.pages.map(({ page }) => page)).toEqual([1, 51]);
      expect(read.passages).toHaveLength(2);
      expect(read.document.notice).toBe('Pages 26–50 could not be read.');
    },
  );

  test.runIf(process.platform === 'linux')('that takes too much memory outside its heap is ended', async () => {
    const hog =
      "process.on('message', () => { const all = []; setInterval(() => all.push(Buffer.alloc(30e6, 1)), 5); })";
    await expect(start(script(hog), { residentMb: 300 }).parse(job, patience())).rejects.toThrow(
      'more memory than allowed',
    );
  });

  test('that crashes fails its document, not the server', async () => {
    await expect(start(script("process.on('message', () => process.exit(9))")).parse(job, patience())).rejects.toThrow(
      'crashed the reader',
    );
  });

  test('that cannot be started is no fault of the document', async () => {
    const { execPath } = process;
    process.execPath = '/nowhere/node';
    onTestFinished(() => {
      process.execPath = execPath;
    });
    const failure = await start(script(''))
      .parse(job, patience())
      .catch((error) => error);
    expect(failure).not.toBeInstanceOf(UnreadableDocument);
    expect(failure.message).toBe('the reader of documents cannot be started');
  });

  test('that died while it had nothing to do is replaced', async () => {
    const reply = '{ ok: true, document: {}, passages: [] }';
    const parser = start(
      script(`process.on('message', () => { process.send(${reply}); setTimeout(() => process.exit(1), 20); })`),
    );
    expect(await parser.parse(job, patience())).toMatchObject({ ok: true });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await parser.parse(job, patience())).toMatchObject({ ok: true });
  });

  test('is stopped by the signal of the job', async () => {
    const controller = new AbortController();
    const result = start(script("process.on('message', () => {})")).parse(job, controller.signal);
    setTimeout(() => controller.abort(new Error('shutting down')), 50);
    await expect(result).rejects.toThrow('shutting down');
  });

  test('sees nothing of the server’s environment', async () => {
    process.env['ANTHROPIC_API_KEY'] = 'sk-canary';
    onTestFinished(() => {
      delete process.env['ANTHROPIC_API_KEY'];
    });
    const tell = "process.on('message', () => process.send({ ok: true, document: process.env, passages: [] }))";
    const { document } = await start(script(tell)).parse(job, patience());
    expect(JSON.stringify(document)).not.toContain('sk-canary');
  });
});

/** A zip whose directory claims one entry of the given unpacked size. */
function zipClaiming(unpackedBytes: number, entries = 1): Buffer {
  const name = 'word/document.xml';
  const entry = Buffer.alloc(46 + name.length);
  entry.writeUInt32LE(0x02014b50, 0);
  entry.writeUInt32LE(unpackedBytes, 24);
  entry.writeUInt16LE(name.length, 28);
  entry.write(name, 46);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries, 8);
  end.writeUInt16LE(entries, 10);
  end.writeUInt32LE(entry.length, 12);
  end.writeUInt32LE(4, 16);
  return Buffer.concat([Buffer.from('PK\u0003\u0004', 'latin1'), entry, end]);
}

test.each([
  ['unpack to far too much', zipClaiming(4_000_000_000), /more than 300 MB/],
  ['hold far too many parts', zipClaiming(10, 60_000), /60000 parts/],
  ['have no directory', Buffer.from('PK\u0003\u0004word/document.xml', 'latin1'), /damaged/],
])('documents that %s are refused with the reason', async (_name, data, reason) => {
  const path = join(temporaryFolder(), 'bomb.docx');
  writeFileSync(path, data);
  await expect(start(worker).parse({ path, mediaType: DOCX, source: 'bomb.docx' }, patience())).rejects.toThrow(reason);
});

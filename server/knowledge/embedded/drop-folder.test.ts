import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AppError } from '../../core/errors';
import type { DocumentInfo } from '../../core/knowledge';
import { eventually, temporaryFolder } from '../../testing/collect';
import { DropFolder, type DropTarget } from './drop-folder';

/** A knowledge base that remembers what it was given. */
class Target implements DropTarget {
  readonly added = new Map<string, string>();
  readonly names: string[] = [];
  readonly fail = new Map<string, string>();
  /** Called while a file is read, after its first part. */
  onRead: ((name: string) => void) | undefined;
  refuse: Error | undefined;
  release: () => void = () => {};
  hold: Promise<void> | undefined;

  async add(name: string, content: AsyncIterable<Uint8Array>) {
    if (this.refuse) throw this.refuse;
    const parts: Uint8Array[] = [];
    for await (const part of content) {
      parts.push(part);
      this.onRead?.(name);
    }
    this.added.set(name, Buffer.concat(parts).toString());
    this.names.push(name);
    return { document: { id: name } as DocumentInfo };
  }

  /** How often it was asked about a document. */
  asked = 0;

  async settled(id: string, signal: AbortSignal): Promise<DocumentInfo | undefined> {
    this.asked++;
    const aborted = new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    await Promise.race([this.hold, aborted]);
    const error = this.fail.get(id);
    return { id, status: error ? 'failed' : 'ready', error: error ?? null } as DocumentInfo;
  }
}

async function setUp(before: (inbox: string) => void = () => {}) {
  const directory = temporaryFolder();
  const inbox = join(directory, 'unprocessed');
  mkdirSync(inbox, { recursive: true });
  before(inbox);
  const target = new Target();
  const folder = await DropFolder.open(directory, target, 40);
  onTestFinished(() => folder.stop());
  const list = (name: string) => readdirSync(join(directory, name), { recursive: true, encoding: 'utf8' }).sort();
  return { directory, inbox, target, folder, list };
}

describe('the drop folder', () => {
  test('takes what is there and what comes, with subfolders, and moves it away', async () => {
    const { inbox, target, list } = await setUp((path) => {
      mkdirSync(join(path, 'sub'));
      writeFileSync(join(path, 'sub', 'old.md'), 'old');
    });
    writeFileSync(join(inbox, 'new.md'), 'new');
    await eventually(() => list('processed').join() === 'new.md,sub,sub/old.md');
    expect([...target.added].sort()).toEqual([
      ['new.md', 'new'],
      ['sub/old.md', 'old'],
    ]);
  });

  test('gives the reason beside a file that failed, and never overwrites', async () => {
    const { inbox, target, directory, list } = await setUp();
    target.fail.set('bad.pdf', 'The PDF is damaged.');
    writeFileSync(join(inbox, 'bad.pdf'), 'x');
    await eventually(() => list('failed').includes('bad.pdf.reason.txt'));
    expect(readFileSync(join(directory, 'failed', 'bad.pdf.reason.txt'), 'utf8')).toBe('The PDF is damaged.\n');
    target.refuse = new AppError('unsupported_media_type', 'bad.pdf cannot be read.');
    writeFileSync(join(inbox, 'bad.pdf'), 'y');
    await eventually(() => list('failed').includes('bad (2).pdf'));
  });

  test('waits until a file is written', async () => {
    const { inbox, target } = await setUp();
    const path = join(inbox, 'slow.txt');
    for (let n = 0; n < 6; n++) {
      appendFileSync(path, `part ${n} `);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    await eventually(() => target.added.size === 1);
    expect(target.added.get('slow.txt')).toBe('part 0 part 1 part 2 part 3 part 4 part 5 ');
  });

  test('keeps nothing of a file that was written while it was read, and takes it again', async () => {
    const { inbox, target } = await setUp();
    const path = join(inbox, 'moving.txt');
    target.onRead = () => {
      target.onRead = undefined;
      appendFileSync(path, 'second');
    };
    writeFileSync(path, 'first ');
    await eventually(() => target.added.size === 1);
    expect([...target.added.values()]).toEqual(['first second']);
    expect(target.names).toEqual(['moving.txt']);
  });

  test('takes a file that was written anew while it waited', async () => {
    const { inbox, target, list } = await setUp();
    target.hold = new Promise((resolve) => (target.release = resolve));
    writeFileSync(join(inbox, 'twice.txt'), 'one');
    await eventually(() => target.added.size === 1);
    writeFileSync(join(inbox, 'twice.txt'), 'another');
    await eventually(() => target.added.get('twice.txt') === 'another');
    target.release();
    await eventually(() => list('processed').includes('twice.txt'));
    expect(existsSync(join(inbox, 'twice.txt'))).toBe(false);
  });

  test.runIf(process.platform === 'linux')(
    'follows no link, stops at no pipe, and tells what it does not take',
    async () => {
      const { inbox, target, folder } = await setUp((path) => {
        writeFileSync(join(path, '..', 'secret.txt'), 'secret');
        symlinkSync(join(path, '..', 'secret.txt'), join(path, 'link.txt'));
        symlinkSync('/', join(path, 'root'));
        execFileSync('mkfifo', [join(path, 'pipe.txt')]);
        writeFileSync(Buffer.concat([Buffer.from(`${path}/m`), Buffer.from([0xfc]), Buffer.from('ller.txt')]), 'latin');
      });
      writeFileSync(join(inbox, 'ok.txt'), 'fine');
      await eventually(() => target.added.size === 1);
      expect([...target.added.keys()]).toEqual(['ok.txt']);
      expect(folder.left.map(({ reason }) => reason).sort()).toEqual([
        'it is a link; put the file itself here',
        'it is a link; put the file itself here',
        'it is no regular file',
        'its name is not valid UTF-8; rename it',
      ]);
    },
  );

  test('skips temporary files and locks', async () => {
    const names = [
      '~$report.docx',
      '.~lock.report.odt#',
      'movie.part',
      'x.crdownload',
      'y.tmp',
      'notes.txt~',
      'Thumbs.db',
      '.DS_Store',
    ];
    const { inbox, target } = await setUp((path) => {
      for (const name of names) writeFileSync(join(path, name), 'x');
    });
    writeFileSync(join(inbox, 'report.docx'), 'x');
    await eventually(() => target.added.size > 0);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect([...target.added.keys()]).toEqual(['report.docx']);
  });

  test('asks once about a document that waits, and reads a file once', async () => {
    const { inbox, target } = await setUp();
    target.hold = new Promise(() => {});
    for (let n = 0; n < 20; n++) writeFileSync(join(inbox, `${n}.txt`), 'x');
    await eventually(() => target.added.size === 20);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(target.asked).toBe(20);
    expect(target.names).toHaveLength(20);
  });
});

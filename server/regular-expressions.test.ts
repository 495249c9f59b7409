import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync, Visitor } from 'oxc-parser';
import { checkSync } from 'recheck';
import { expect, test, vi } from 'vitest';

const project = fileURLToPath(new URL('..', import.meta.url));

/** Not linear by themselves, but they see only as much text as is said here. */
const BOUNDED: Record<string, string> = {
  'server/knowledge/embedded/formats/pdf-tables.ts': 'CAPTION: the last 200 characters of a cell',
};

interface Found {
  place: string;
  pattern: string;
  flags: string;
}

const sources = ['server', 'components', 'app'].flatMap((folder) =>
  readdirSync(join(project, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file) && !/\.test\.tsx?$/.test(file))
    .map((file) => ({ place: `${folder}/${file}`, text: readFileSync(join(project, folder, file), 'utf8') })),
);

/** Those that are written out. */
function written(): Found[] {
  return sources.flatMap(({ place, text }) => {
    const found: Found[] = [];
    new Visitor({
      Literal(node) {
        if ('regex' in node && node.regex) found.push({ place, ...node.regex });
      },
    }).visit(parseSync(place, text).program);
    return found;
  });
}

/** Those that modules put together when they are loaded, and the one that is made for a name of an element. */
async function built(): Promise<Found[]> {
  const found: Found[] = [];
  let place = '';
  const Native = RegExp;
  class Recorded extends Native {
    constructor(pattern: string | RegExp, flags?: string) {
      super(pattern, flags);
      // Those of packages are their own affair: documents with entities or a DTD never reach the parser's.
      const own = !new Error().stack?.split('\n')[2]?.includes('node_modules');
      if (own) found.push({ place, pattern: this.source, flags: this.flags });
    }
  }
  vi.resetModules();
  vi.stubGlobal('RegExp', Recorded);
  const makers = sources.filter(({ text }) => text.includes('new RegExp('));
  for (const file of makers) {
    place = file.place;
    const module = (await import(join(project, place))) as Record<string, unknown>;
    const each = module['eachElement'] as ((text: string, name: string) => Iterable<unknown>) | undefined;
    if (each) expect([...each('<row/>', 'row')]).toHaveLength(1);
  }
  vi.unstubAllGlobals();
  expect(found.length).toBeGreaterThanOrEqual(makers.length);
  return found;
}

test('no regular expression takes more than linear time, whatever text it reads', { timeout: 240_000 }, async () => {
  const all = [...written(), ...(await built())];
  expect(all.length).toBeGreaterThan(200);
  const slow = all.flatMap(({ place, pattern, flags }) => {
    // Without a fixed seed what is found would differ from run to run.
    const result = checkSync(pattern, flags, { randomSeed: 1, timeout: 20_000 });
    const found = result.status === 'vulnerable' ? result.complexity.summary : result.status;
    return found === 'safe' ? [] : [{ place, pattern, found }];
  });
  // One in each of these files, and no other.
  expect(slow.map(({ place }) => place).sort(), JSON.stringify(slow, null, 2)).toEqual(Object.keys(BOUNDED).sort());
});

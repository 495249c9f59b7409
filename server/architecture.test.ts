import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { SERVER_CONSTANTS } from '../scripts/setup.mjs';

/**
 * The import rule of ARCHITECTURE.md, executable: a layer may import only what its row names.
 * `types:` allows type-only imports. Anything not listed is denied.
 */
const RULES: Record<string, readonly string[]> = {
  core: [],
  lib: [],
  text: ['core', 'lib'],
  net: ['core', 'lib'],
  config: ['core', 'lib', 'net'],
  store: ['core', 'lib', 'net'],
  providers: ['core', 'lib', 'text', 'net'],
  knowledge: ['core', 'lib', 'text', 'net'],
  access: ['core', 'lib', 'net'],
  orchestrate: ['core', 'lib', 'text', 'net'],
  openai: ['core', 'lib'],
  services: ['core', 'lib', 'text', 'net', 'config', 'store', 'providers', 'knowledge', 'access', 'orchestrate'],
  trpc: ['core', 'lib', 'types:services'],
  routes: ['services', 'openai', 'trpc', 'core', 'lib'],
  pages: ['components'],
  components: ['types:core', 'types:trpc'],
};

/** Packages that only one place may use. */
const RESERVED: Record<string, (file: string) => boolean> = {
  undici: (file) => file.startsWith('server/net/'),
  'node:http': (file) => file.startsWith('server/net/'),
  'node:https': () => false,
  ollama: (file) => file.startsWith('server/providers/'),
  '@anthropic-ai/sdk': (file) => file.startsWith('server/providers/'),
  '@lancedb/lancedb': (file) => file.startsWith('server/knowledge/'),
  '@qdrant/js-client-rest': (file) => file.startsWith('server/knowledge/'),
  kysely: (file) => file.startsWith('server/store/'),
  '@trpc/server': (file) =>
    file.startsWith('server/trpc/') || file.startsWith('app/api/trpc/') || file.startsWith('components/'),
};

const root = fileURLToPath(new URL('..', import.meta.url));

interface Import {
  file: string;
  target: string;
  typeOnly: boolean;
}

const files = ['app', 'components', 'server']
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  )
  .filter((name) => /\.tsx?$/.test(name) && !name.endsWith('.test.ts') && !name.startsWith('server/testing/'));

const imports: Import[] = files.flatMap((file) => {
  const text = readFileSync(join(root, file), 'utf8');
  const statements = text.matchAll(
    /^(?:import|export)\s+(type\s+)?(?:[^'"]*?\sfrom\s+)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/gm,
  );
  return [...statements].map(([, type, from, dynamic]) => ({
    file,
    target: from ?? dynamic ?? '',
    typeOnly: type !== undefined,
  }));
});

function layerOf(path: string): string {
  const [top, second] = path.split('/');
  if (top === 'components') return 'components';
  if (top === 'server') return second ?? '';
  return path.startsWith('app/_http/') || path.endsWith('/route.ts') ? 'routes' : 'pages';
}

/** The project path an import points to; undefined for packages. */
function projectPath({ file, target }: Import): string | undefined {
  if (target.startsWith('@/')) return target.slice(2);
  return target.startsWith('.') ? relative(root, resolve(root, dirname(file), target)) : undefined;
}

describe('the import rule', () => {
  test('looks at real files and real imports', () => {
    expect(files.length).toBeGreaterThan(80);
    expect(imports.filter((entry) => projectPath(entry)).length).toBeGreaterThan(150);
  });

  test('every layer is named in the rule', () => {
    const layers = new Set(files.map(layerOf));
    expect([...layers].filter((layer) => !(layer in RULES))).toEqual([]);
  });

  test('a layer imports only what its row allows', () => {
    const broken = imports.flatMap((entry) => {
      const target = projectPath(entry);
      if (!target || target.endsWith('.css')) return [];
      const from = layerOf(entry.file);
      const to = layerOf(target.endsWith('/route') ? `${target}.ts` : target);
      if (from === to) return [];
      const allowed = RULES[from] ?? [];
      return allowed.includes(to) || (entry.typeOnly && allowed.includes(`types:${to}`))
        ? []
        : [`${entry.file} imports ${target}`];
    });
    expect(broken).toEqual([]);
  });

  test('outbound connections and each SDK stay in their one place', () => {
    const broken = imports.filter(({ file, target }) => {
      const name = Object.keys(RESERVED).find((reserved) => target === reserved || target.startsWith(`${reserved}/`));
      return name !== undefined && !RESERVED[name]?.(file);
    });
    expect(broken.filter(({ file, typeOnly }) => !(typeOnly && file.startsWith('components/')))).toEqual([]);
  });

  test('no server code calls the global fetch', () => {
    const calls = files.filter(
      (file) => file.startsWith('server/') && /(?<![.\w])fetch\(/.test(readFileSync(join(root, file), 'utf8')),
    );
    expect(calls).toEqual([]);
  });
});

test('the container starts the server with what npm start gives it', () => {
  const image = readFileSync(join(root, 'Dockerfile'), 'utf8').split('\nFROM ').at(-1) ?? '';
  for (const [name, value] of Object.entries(SERVER_CONSTANTS)) expect(image).toContain(` ${name}=${value}`);
});

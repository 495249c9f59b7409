// Set-up shared by the commands: dependencies, build, browser. Each step is skipped when nothing
// changed since it last ran. Plain JavaScript without dependencies: it runs before they exist.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';

export function say(text) {
  process.stdout.write(`ivy  ${text}\n`);
}

/** Ends with a sentence a person can act on. */
export function giveUp(text) {
  process.stderr.write(`\nivy  ${text}\n`);
  process.exit(1);
}

/** Runs a command with its output shown; ends the process when it fails. */
export function run(command, args, env = {}) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1', ...env },
    shell: process.platform === 'win32',
  });
  if (error) giveUp(`${command} could not be run: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

/** The path of a tool that a dependency brings. */
export function bin(name) {
  return join(root, 'node_modules', '.bin', process.platform === 'win32' ? `${name}.cmd` : name);
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    giveUp(
      `Node.js ${process.versions.node} is too old. Install Node.js 20.19 or newer (24 is recommended): https://nodejs.org`,
    );
  }
}

/** Installs dependencies when they are absent or older than the lock file. */
export function ensureDependencies() {
  checkNode();
  const stamp = join(root, 'node_modules', '.ivy-installed');
  const wanted = hash([readFileSync(join(root, 'package-lock.json'))]);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  say('Installing dependencies (a minute or two, only the first time)…');
  run(npm, ['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund']);
  writeFileSync(stamp, wanted);
}

const SOURCES = ['app', 'components', 'server', 'public'];
const SOURCE_FILES = [
  'instrumentation.ts',
  'next.config.js',
  'package-lock.json',
  'postcss.config.mjs',
  'proxy.ts',
  'scripts/build.mjs',
  'tsconfig.json',
];

/** Builds when the sources differ from those of the last build. */
export function ensureBuild() {
  const stamp = join(root, '.next', 'ivy-built');
  const wanted = sourceHash();
  const built = ['.next/standalone/server.js', 'dist/parse-worker.mjs', 'dist/term-index-worker.mjs'].every((path) =>
    existsSync(join(root, path)),
  );
  if (built && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  say('Building (about a minute, only after changes)…');
  run(process.execPath, [join(root, 'scripts', 'build.mjs')]);
  writeFileSync(stamp, wanted);
}

function sourceHash() {
  const files = SOURCE_FILES.map((name) => join(root, name));
  for (const folder of SOURCES) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (entry.isFile() && !/\.test\.tsx?$/.test(entry.name)) files.push(join(entry.parentPath, entry.name));
    }
  }
  return hash(files.sort().flatMap((file) => [relative(root, file), readFileSync(file)]));
}

function hash(parts) {
  const sum = createHash('sha256');
  for (const part of parts) sum.update(part).update('\0');
  return sum.digest('hex');
}

/** Bundles what runs beside the server: the process that parses documents and the thread that searches words. */
export async function buildWorkers() {
  const { build } = await import('esbuild');
  await build({
    absWorkingDir: root,
    entryPoints: ['parse-worker', 'term-index-worker'].map((name) => `server/knowledge/embedded/${name}.ts`),
    outdir: 'dist',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['@firecrawl/pdf-inspector', 'canvas'],
    // Some bundled packages are CommonJS and ask for Node's modules at run time.
    banner: {
      js: "import { createRequire as createIvyRequire } from 'node:module'; const require = createIvyRequire(import.meta.url);",
    },
    logLevel: 'error',
  });
  // Fonts of Asian scripts often name their characters by tables that a reader is expected to have.
  cpSync(join(root, 'node_modules', 'pdfjs-dist', 'cmaps'), join(root, 'dist', 'cmaps'), { recursive: true });
}

/** Next's standalone folder lacks the static files, and must not keep a copy of `.env`. */
export function completeStandalone() {
  const standalone = join(root, '.next', 'standalone');
  cpSync(join(root, '.next', 'static'), join(standalone, '.next', 'static'), { recursive: true });
  cpSync(join(root, 'public'), join(standalone, 'public'), { recursive: true });
  for (const name of readdirSync(standalone)) if (name.startsWith('.env')) rmSync(join(standalone, name));
}

/** Path of a Chromium: an installed one, else Playwright's, else Debian's package, else Playwright's download. */
export async function ensureBrowser() {
  const installed = await findBrowser();
  if (installed) return installed;
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    say('Installing Debian’s Chromium for the browser tests…');
    spawnSync('apt-get', ['update', '-qq'], { stdio: 'inherit' });
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium', 'fonts-liberation'], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  } else {
    say('Downloading Playwright’s Chromium for the browser tests…');
    spawnSync(bin('playwright'), ['install', 'chromium'], { cwd: root, stdio: 'inherit', timeout: 600_000 });
  }
  return (await findBrowser()) ?? giveUp('No Chromium was found. Install one and name it in IVY_CHROMIUM.');
}

async function findBrowser() {
  const { chromium } = await import('playwright');
  const candidates = [
    process.env.IVY_CHROMIUM,
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    chromium.executablePath(),
  ];
  return candidates.find((path) => path && existsSync(path));
}

/** `NAME=value` lines of a file, without expanding anything. */
export async function readEnvFile() {
  const path = join(process.env.IVY_ROOT ?? root, '.env');
  if (!existsSync(path)) return {};
  const { parseEnv } = await import('node:util');
  return parseEnv(readFileSync(path, 'utf8'));
}

/** Where a server of this machine answers that listens on `host`. */
export function serverUrl(host, port) {
  const anywhere = !host || host === '0.0.0.0' || host === '::';
  const name = anywhere ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port || 8000}`;
}

/**
 * Memory of the native parts. glibc otherwise keeps a heap for every thread of the search engine, and lets the
 * thresholds grow above which memory goes back. At 8 MB nothing is asked for anew with each search, which costs
 * 5 ms of one in 10,000 passages at 128 KB. Ignored where there is no glibc.
 */
const ALLOCATOR = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '8388608', MALLOC_TRIM_THRESHOLD_: '8388608' };

const SERVER = {
  NODE_ENV: 'production',
  // Shutting down is ours: running answers are finished first.
  NEXT_MANUAL_SIG_HANDLE: 'true',
  NEXT_TELEMETRY_DISABLED: '1',
  KEEP_ALIVE_TIMEOUT: '65000',
};

/** What every server is started with; the Dockerfile says the same. */
export const SERVER_CONSTANTS = { ...ALLOCATOR, ...SERVER };

/** What the server needs besides the configuration: where it is, and the environment as it was before Next touched it. */
export function serverEnvironment(host, port) {
  const ours =
    /^(LLM_|OLLAMA_|ANTHROPIC_|KNOWLEDGE_|RAG_|IVY_|QDRANT_|EMBEDDING_|RERANK_|OPENWEBUI_|(HOST|PORT|PUBLIC_URL|TASK_MODEL)$)/;
  const launched = Object.fromEntries(Object.entries(process.env).filter(([name]) => ours.test(name)));
  return {
    ...ALLOCATOR,
    ...process.env,
    ...SERVER,
    HOSTNAME: host,
    PORT: String(port),
    IVY_ROOT: process.env.IVY_ROOT ?? root,
    IVY_LAUNCH_ENV: JSON.stringify(launched),
  };
}

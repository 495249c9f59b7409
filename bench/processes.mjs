import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, serverEnvironment } from '../scripts/setup.mjs';

const running = [];

/** Starts a script in its own process on a free port and waits until it listens. */
export async function startScript(name, env = {}) {
  const port = await freePort();
  return launch(join(root, 'bench', name), port, { ...process.env, ...env, PORT: String(port) });
}

/** Ivy as `npm start` runs it, with a folder of its own and nothing to search. */
export async function startIvy(env, { home = mkdtempSync(join(tmpdir(), 'ivy-bench-')) } = {}) {
  const port = await freePort();
  if (!existsSync(join(home, 'dist'))) symlinkSync(join(root, 'dist'), join(home, 'dist'));
  writeFileSync(
    join(home, '.env'),
    Object.entries(env)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  const server = await launch(join(root, '.next', 'standalone', 'server.js'), port, {
    ...serverEnvironment('127.0.0.1', port),
    IVY_ROOT: home,
    IVY_LAUNCH_ENV: '{}',
    NODE_OPTIONS: `--require ${join(root, 'bench', 'loop-delay.cjs')}`,
    LOOP_DELAY_FILE: join(home, 'loop-delay.json'),
  });
  running.push({ kill: () => rmSync(home, { recursive: true, force: true }) });
  return { ...server, home, loopDelay: () => JSON.parse(readFileSync(join(home, 'loop-delay.json'), 'utf8')) };
}

/** Starts a program of Node on a port of its own and waits until it answers. */
export async function launch(script, port, env, args = []) {
  const child = spawn(process.execPath, [script, ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  running.push(child);
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 300; tries++) {
    if (
      await fetch(`${url}/ready`).then(
        () => true,
        () => false,
      )
    )
      return { url, pid: child.pid };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${script} did not start`);
}

export function stopAll() {
  for (const child of running.splice(0)) child.kill('SIGKILL');
}

/** Seconds of processor time that a process has used. */
export function cpuSeconds(pid) {
  if (process.platform === 'linux') {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }
  const time = execFileSync('ps', ['-o', 'cputime=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  return time.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
}

/** Seconds that processes it started had used when they ended. */
function endedCpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

/** The same of a process and all that it has started; undefined where it cannot be read. */
export function treeCpuSeconds(pid) {
  if (process.platform !== 'linux') return undefined;
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        return [[Number(name), Number(readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1].split(' ')[1])]];
      } catch {
        return [];
      }
    });
  const below = (parent) => parents.flatMap(([child, its]) => (its === parent ? [child, ...below(child)] : []));
  return [pid, ...below(pid)].reduce((sum, one) => sum + cpuSeconds(one) + endedCpuSeconds(one), 0);
}

/** Bytes of memory that a process holds; undefined where it cannot be read. */
export function residentBytes(pid) {
  if (process.platform !== 'linux') return undefined;
  return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096;
}

export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

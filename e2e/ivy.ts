import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('..', import.meta.url));

export interface IvyOptions {
  /** Content of `.env`. */
  env?: Record<string, string>;
  /** Without the shipped samples. */
  empty?: boolean;
}

/** A real server, started as a user starts it, with a folder of its own for `.env` and data. */
export class Ivy {
  readonly home = mkdtempSync(join(tmpdir(), 'ivy-e2e-'));
  output = '';
  private process: ChildProcess | undefined;
  private constructor(readonly port: number) {}

  static async start(options: IvyOptions = {}): Promise<Ivy> {
    const ivy = new Ivy(await freePort());
    symlinkSync(join(project, 'dist'), join(ivy.home, 'dist'));
    if (!options.empty) symlinkSync(join(project, 'samples'), join(ivy.home, 'samples'));
    ivy.writeEnv(options.env ?? {});
    await ivy.launch();
    return ivy;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** No Ollama unless a test gives one: port 9 is closed everywhere. */
  writeEnv(values: Record<string, string>): void {
    const all = { OLLAMA_BASE_URL: 'http://127.0.0.1:9', ...values };
    writeFileSync(
      join(this.home, '.env'),
      Object.entries(all)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
    );
  }

  /** Starts the process and waits until it takes requests. */
  async launch(): Promise<void> {
    const child = spawn(process.execPath, [join(project, 'scripts', 'start.mjs')], {
      cwd: project,
      env: {
        NODE_ENV: 'production',
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        IVY_ROOT: this.home,
        PORT: String(this.port),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that a kill takes the server as well as its launcher.
      detached: true,
    });
    this.process = child;
    const collect = (data: Buffer) => {
      this.output += data.toString();
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    for (let tries = 0; tries < 600; tries++) {
      if (child.exitCode !== null) throw new Error(`Ivy ended with ${child.exitCode}:\n${this.output}`);
      const ready = await fetch(`${this.url}/ready`).then(
        (response) => response.ok,
        () => false,
      );
      if (ready) return;
      await sleep(100);
    }
    throw new Error(`Ivy did not become ready:\n${this.output}`);
  }

  /** SIGKILL to everything: what a crash or a power cut of the process leaves behind. */
  async kill(): Promise<void> {
    const child = this.process;
    if (!child?.pid) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    process.kill(-child.pid, 'SIGKILL');
    await gone;
    // The server may outlive its launcher by a moment.
    await until(() => isFree(this.port));
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.home, { recursive: true, force: true });
  }

  /** Asks the launcher to end as Ctrl-C does; answers its exit code. */
  async terminate(): Promise<number | null> {
    const child = this.process;
    if (!child) return null;
    const code = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    return code;
  }

  /** SIGINT to the whole group, as a terminal sends it. */
  async interruptGroup(): Promise<void> {
    if (this.process?.pid) process.kill(-this.process.pid, 'SIGINT');
  }

  /** Sends a chat completion as any HTTP client does. */
  chat(body: object, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  }

  async json<T>(path: string, init?: RequestInit): Promise<T> {
    return (await fetch(this.url + path, init)).json() as Promise<T>;
  }

  async upload(name: string, content: string | Uint8Array<ArrayBuffer>, authorization?: string): Promise<Response> {
    const form = new FormData();
    form.append('file', new Blob([content]), name);
    const headers: Record<string, string> = authorization ? { authorization } : {};
    return fetch(`${this.url}/documents`, { method: 'POST', headers, body: form });
  }

  /** Waits until no document is being worked on. */
  async settled(): Promise<void> {
    await until(async () => {
      const { documents } = await this.json<{ documents: { status: string }[] }>('/documents?limit=200');
      return documents.every(({ status }) => status === 'ready' || status === 'failed');
    });
  }

  /** Memory of the server process, in bytes. */
  residentBytes(): number {
    const launcher = this.process?.pid;
    const children = readFileSync(`/proc/${launcher}/task/${launcher}/children`, 'utf8').trim().split(' ');
    return Math.max(...children.map((pid) => Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096));
  }

  hasFile(path: string): boolean {
    return existsSync(join(this.home, path));
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Polls until `check` holds; fails after half a minute. */
export async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (await check()) return;
    await sleep(100);
  }
  throw new Error('it did not come true within 30 seconds');
}

/** True when nothing listens on the port. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

// Programs that Ivy is compared with. They are installed on demand into a folder of their own and are no
// dependency of the project.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, say } from '../scripts/setup.mjs';
import { freePort, launch } from './processes.mjs';

/** With other versions of these two it answers every request with an error. */
const VERSIONS = { hono: '4.9.7', '@hono/node-server': '1.3.3' };
const PACKAGE = { private: true, dependencies: { '@portkey-ai/gateway': '1.15.2', ...VERSIONS }, overrides: VERSIONS };

export async function startGateway() {
  const folder = join(root, 'bench', 'peers');
  const script = join(folder, 'node_modules', '@portkey-ai', 'gateway', 'build', 'start-server.js');
  if (!existsSync(script)) {
    say('installing the comparison gateway into bench/peers…');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), JSON.stringify(PACKAGE));
    execFileSync('npm', ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', '--silent'], {
      shell: process.platform === 'win32',
    });
  }
  const port = await freePort();
  return launch(script, port, { ...process.env, NODE_ENV: 'production' }, [`--port=${port}`, '--headless']);
}

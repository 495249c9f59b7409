// `npm run dev`: the development server, with the same environment rules as `npm start`.
import { spawn } from 'node:child_process';
import { bin, buildWorkers, ensureDependencies, readEnvFile, serverEnvironment } from './setup.mjs';

ensureDependencies();
await buildWorkers();
const file = await readEnvFile();
const host = process.env.HOST || file.HOST || '127.0.0.1';
const port = Number(process.env.PORT || file.PORT || 8000);
const env = { ...serverEnvironment(host, port), NODE_ENV: 'development' };
const server = spawn(bin('next'), ['dev', '--hostname', host, '--port', String(port)], { stdio: 'inherit', env });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => server.kill(signal));
server.on('exit', (code) => process.exit(code ?? 1));

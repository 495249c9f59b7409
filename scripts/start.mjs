// `npm start`: does all set-up, runs the server, and says where it is and what to do next.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import {
  ensureBuild,
  ensureDependencies,
  giveUp,
  readEnvFile,
  root,
  say,
  serverEnvironment,
  serverUrl,
} from './setup.mjs';

ensureDependencies();
ensureBuild();

const file = await readEnvFile();
const host = process.env.HOST || file.HOST || '127.0.0.1';
const port = Number(process.env.PORT || file.PORT || 8000);
const url = serverUrl(host, port);

if (!Number.isInteger(port) || port < 1 || port > 65_535) giveUp('PORT must be a whole number from 1 to 65535.');

if (!(await isFree(host, port))) {
  giveUp(
    `Port ${port} is taken, perhaps by another Ivy. Stop that program, or choose another port, and another data folder if both shall run: PORT=8001 IVY_DATA_DIR=./data2 npm start`,
  );
}

const server = spawn(process.execPath, [join(root, '.next', 'standalone', 'server.js')], {
  // Next's own banner is about Next; errors and the log come on standard error.
  stdio: ['ignore', 'ignore', 'inherit'],
  env: serverEnvironment(host, port),
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => server.kill(signal));
server.on('exit', (code, signal) => {
  if (code === 78) say('Ivy did not start; the message above says why.');
  process.exit(code ?? (signal ? 130 : 1));
});

await untilReady();
await report();

async function untilReady() {
  for (;;) {
    try {
      if ((await fetch(`${url}/ready`)).ok) return;
    } catch {
      // Not listening yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function report() {
  const {
    components,
    llm_provider: provider,
    model,
    knowledge_agent_url: agent,
  } = await (await fetch(`${url}/health`)).json();
  const { documents, rereading } = components.knowledge_base;
  const added = documents.queued + documents.parsing + documents.indexing - rereading;
  const waiting = [
    ...(added > 0 ? [`${added} being indexed`] : []),
    ...(rereading > 0 ? [`${rereading} of them being read again after an update`] : []),
  ];
  say('');
  say(`Ivy is ready:      ${url}`);
  say(`Admin page:        ${url}/admin`);
  say(`OpenAI clients:    ${url}/v1   model "ivy-orchestrator"`);
  say('');
  say(
    `Ollama             ${components.ollama.state === 'ok' ? `version ${components.ollama.version}` : 'not found'} at ${components.ollama.url}`,
  );
  say(
    `Claude             ${components.claude.state === 'off' ? 'no key' : provider === 'claude' ? 'in use' : 'key set, not in use'}`,
  );
  say(`Knowledge          ${agent ?? [`${documents.ready + rereading} documents`, ...waiting].join(', ')}`);
  say(`Answers come from  ${provider === 'builtin' ? 'quotations (no language model yet)' : `${model} (${provider})`}`);
  say('');
  say(
    provider === 'builtin'
      ? 'Next: ask a question about the sample documents; for written answers start Ollama and pull a model, or choose one on the admin page.'
      : 'Next: open the chat and ask a question.',
  );
  say('Stop with Ctrl-C.');
}

function isFree(address, wanted) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(wanted, address, () => probe.close(() => resolve(true)));
  });
}

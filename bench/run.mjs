// `npm run bench`: figures of one run on one machine, as ratios against a bare relay measured beside
// them; absolute times on shared machines mean little. Writes bench/results/<date>.json.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuild, ensureDependencies, root, say } from '../scripts/setup.mjs';
import { quantile, stream } from './client.mjs';
import { cpuSeconds, residentBytes, startIvy, startScript, stopAll } from './processes.mjs';

ensureDependencies();
ensureBuild();
const messages = [{ role: 'user', content: 'Say something about nothing in particular.' }];
const rows = [];

try {
  const upstream = await startScript('upstream.mjs');
  const relay = await startScript('relay.mjs', { UPSTREAM: upstream.url });
  const ivy = await startIvy({ OLLAMA_BASE_URL: upstream.url });
  const idle = residentBytes(ivy.pid);
  await firstToken(upstream, relay, ivy);
  await costPerToken(relay, ivy);
  if (idle !== undefined)
    row('memory, idle after start', `${Math.round(idle / 2 ** 20)} MB`, '≤ 250 MB', idle <= 250 * 2 ** 20);
} finally {
  stopAll();
}
print();

/** Added time to the first token, one client, no retrieval. */
async function firstToken(upstream, relay, ivy) {
  say('time to first token…');
  const body = { model: 'ollama/bench-1-0:latest', messages, stream: true };
  const native = { model: 'bench-1-0:latest', messages, stream: true };
  const samples = { direct: [], relay: [], ivy: [] };
  for (let round = 0; round < 330; round++) {
    // In turn, so that a slow moment of the machine hits all three.
    const direct = await stream(upstream.url, '/api/chat', native);
    const bare = await stream(relay.url, '/v1/chat/completions', body);
    const ours = await stream(ivy.url, '/v1/chat/completions', body);
    if (round < 30) continue;
    samples.direct.push(direct.firstMs);
    samples.relay.push(bare.firstMs);
    samples.ivy.push(ours.firstMs);
  }
  const added = (name, share) => quantile(samples[name], share) - quantile(samples.direct, share);
  const p50 = added('ivy', 0.5);
  row(
    'overhead to first token, p50',
    `${p50.toFixed(2)} ms (relay ${added('relay', 0.5).toFixed(2)} ms)`,
    '≤ 3 ms',
    p50 <= 3,
  );
  row(
    'overhead to first token, p95',
    `${added('ivy', 0.95).toFixed(2)} ms (relay ${added('relay', 0.95).toFixed(2)} ms)`,
    null,
    null,
  );
}

/** Processor time of the server process per streamed token: 300 streams at 20 tokens a second. */
async function costPerToken(relay, ivy) {
  const results = {};
  for (const [name, server] of [
    ['relay', relay],
    ['ivy', ivy],
    ['relay again', relay],
    ['ivy again', ivy],
  ]) {
    say(`cost per token, 300 streams × 20 tokens/s: ${name}…`);
    const body = { model: 'ollama/bench-200-20:latest', messages, stream: true };
    const before = cpuSeconds(server.pid);
    const streams = await Promise.all(
      Array.from({ length: 300 }, () => stream(server.url, '/v1/chat/completions', body)),
    );
    const tokens = streams.reduce((sum, result) => sum + result.tokens, 0);
    if (streams.some((result) => !result.ok) || tokens !== 300 * 200)
      throw new Error(`${name}: streams failed (${tokens} tokens)`);
    results[name] = ((cpuSeconds(server.pid) - before) / tokens) * 1e6;
  }
  const ours = Math.min(results.ivy, results['ivy again']);
  const floor = Math.min(results.relay, results['relay again']);
  row(
    'cost per token against the relay',
    `${(ours / floor).toFixed(2)} × (${ours.toFixed(0)} µs, relay ${floor.toFixed(0)} µs)`,
    '≤ 2.2 ×',
    ours / floor <= 2.2,
  );
}

function row(what, measured, must, reached) {
  rows.push({ what, measured, must, reached });
}

function print() {
  const width = Math.max(...rows.map(({ what }) => what.length));
  process.stdout.write('\n');
  for (const { what, measured, must, reached } of rows) {
    const verdict = must === null ? '' : `   must ${must}: ${reached ? 'reached' : 'NOT reached'}`;
    process.stdout.write(`${what.padEnd(width)}   ${measured}${verdict}\n`);
  }
  const folder = join(root, 'bench', 'results');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${new Date().toISOString().slice(0, 19).replaceAll(':', '')}.json`);
  writeFileSync(file, `${JSON.stringify({ node: process.version, rows }, null, 2)}\n`);
}

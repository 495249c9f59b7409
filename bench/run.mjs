// `npm run bench`: figures of one run on one machine, as ratios against a bare relay measured beside
// them; absolute times on shared machines mean little. Writes bench/results/<date>.json.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuild, ensureDependencies, root, say } from '../scripts/setup.mjs';
import { quantile, stream } from './client.mjs';
import { benchEvidence } from './evidence.mjs';
import { startGateway } from './peers.mjs';
import { cpuSeconds, residentBytes, startIvy, startScript, stopAll } from './processes.mjs';
import { benchQuality } from './quality.mjs';
import { benchRetrieval } from './retrieval.mjs';

ensureDependencies();
ensureBuild();
const messages = [{ role: 'user', content: 'Say something about nothing in particular.' }];
const rows = [];

const [what, ...sizes] = process.argv.slice(2);
try {
  if (what === 'retrieval') await benchRetrieval(row, sizes.length > 0 ? sizes.map(Number) : [1_000, 10_000, 100_000]);
  else if (what === 'quality') await benchQuality(row);
  else if (what === 'evidence') await benchEvidence(row);
  else if (what === undefined) await benchStreams();
  else throw new Error(`There is no benchmark ${what}: leave it out, or say retrieval, quality or evidence.`);
} finally {
  stopAll();
}
print();

async function benchStreams() {
  const upstream = await startScript('upstream.mjs');
  const relay = await startScript('relay.mjs', { UPSTREAM: upstream.url });
  const ivy = await startIvy({ OLLAMA_BASE_URL: upstream.url });
  const idle = residentBytes(ivy.pid);
  await firstToken(upstream, relay, ivy);
  await costPerToken(relay, ivy);
  await throughput(upstream, relay, ivy);
  await streamsHeld(ivy);
  if (idle !== undefined)
    row('memory, idle after start', `${Math.round(idle / 2 ** 20)} MB`, '≤ 250 MB', idle <= 250 * 2 ** 20);
}

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

/** Whole streamed answers of 100 tokens per second, 16 clients, against a gateway of the same kind. */
async function throughput(upstream, relay, ivy) {
  say('throughput, 16 clients × 100 tokens…');
  const gateway = await startGateway().catch((error) => say(`the comparison gateway does not run: ${error.message}`));
  const model = 'bench-100-0:latest';
  const contenders = {
    relay: [relay.url, { model: `ollama/${model}` }],
    ivy: [ivy.url, { model: `ollama/${model}` }],
    ...(gateway && {
      gateway: [
        gateway.url,
        { model },
        { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `${upstream.url}/v1`, authorization: 'Bearer x' },
      ],
    }),
  };
  const rates = {};
  for (let round = 0; round < 3; round++) {
    for (const [name, [url, change, headers]] of Object.entries(contenders)) {
      const body = { ...change, messages, stream: true };
      const until = performance.now() + 4_000;
      let answers = 0;
      const started = performance.now();
      const client = async () => {
        while (performance.now() < until) {
          const { ok, tokens } = await stream(url, '/v1/chat/completions', body, headers);
          if (!ok || tokens !== 100) throw new Error(`${name}: an answer failed`);
          answers += 1;
        }
      };
      await Promise.all(Array.from({ length: 16 }, client));
      rates[name] = Math.max(rates[name] ?? 0, answers / ((performance.now() - started) / 1000));
    }
  }
  const shown = `${rates.ivy.toFixed(0)}/s, relay ${rates.relay.toFixed(0)}/s`;
  if (!gateway) return row('throughput', shown, null, null);
  const ratio = rates.ivy / rates.gateway;
  row(
    'throughput against @portkey-ai/gateway 1.15.2',
    `${ratio.toFixed(2)} × (${shown}, gateway ${rates.gateway.toFixed(0)}/s)`,
    '≥ 1.25 ×',
    ratio >= 1.25,
  );
}

/** Many slow streams at once: none fails, and tokens come evenly. */
async function streamsHeld(ivy) {
  for (const count of [500, 1_000]) {
    say(`streams held: ${count} × 5 tokens/s…`);
    const body = { model: 'ollama/bench-50-5:latest', messages, stream: true };
    const streams = await Promise.all(
      Array.from({ length: count }, () =>
        stream(ivy.url, '/v1/chat/completions', body).catch(() => ({ ok: false, gaps: [] })),
      ),
    );
    const failures = streams.filter(({ ok, tokens }) => !ok || tokens !== 50).length;
    const p99 =
      quantile(
        streams.flatMap(({ gaps }) => gaps),
        0.99,
      ) / 200;
    const must = count === 500;
    row(
      `streams held, ${count} × 5 tokens/s`,
      `${failures} failures, p99 gap ${p99.toFixed(2)} × ideal`,
      must ? '0 failures, ≤ 1.5 ×' : null,
      must ? failures === 0 && p99 <= 1.5 : null,
    );
  }
}

function row(what, measured, must, reached) {
  rows.push({ what, measured, must, reached });
  say(`${what}: ${measured}`);
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

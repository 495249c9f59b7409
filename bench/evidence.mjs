// How far the check of answers can be trusted, through the running product: a scripted model writes one sentence, a
// scripted knowledge agent gives the passage that it cites, and what Ivy says of the sentence is compared with what is
// right. With and without a second look by a model that always tells the truth, and by one that always says yes.
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { root, say } from '../scripts/setup.mjs';
import { startIvy, stopAll } from './processes.mjs';

const SETS = [
  { name: 'pairs over RFC 9000', path: join(root, '..', 'shared', 'data', 'evidence', 'pairs.json') },
  { name: 'pairs looked at while the rules were written', path: join(root, 'bench', 'evidence', 'pairs-dev.json') },
  { name: 'pairs held back', path: join(root, 'bench', 'evidence', 'pairs-held.json') },
];
/** What rules alone must find of each kind of error. */
const MUST = { number: 0.9, id: 0.9, unit: 0.8, negation: 0.8, force: 0.8 };
/** Of these, rules may only say that they cannot tell. */
const HARD = ['subject', 'page', 'invented'];

const scene = { answer: '', passage: null, look: 'no' };

export async function benchEvidence(row) {
  const [ollama, agent] = await Promise.all([listen(ollamaHandler), listen(agentHandler)]);
  try {
    const all = [];
    for (const { name, path } of SETS) {
      if (!existsSync(path)) {
        say(`${name}: ${path} is not there, it is not measured.`);
        continue;
      }
      const pairs = JSON.parse(readFileSync(path, 'utf8'));
      const judged = await judgeAll(pairs, ollama, agent, {});
      all.push(...judged);
      report(row, name, judged);
    }
    for (const [kind, must] of Object.entries(MUST)) {
      const wrong = all.filter(({ pair }) => pair.kind === kind);
      const found = wrong.filter(({ outcome }) => outcome === 'differs').length;
      row(`evidence, wrong ${kind}: found`, `${found} of ${wrong.length}`, `≥ ${must}`, found >= must * wrong.length);
    }
    const verbatim = all.filter(({ pair }) => pair.kind === 'verbatim');
    const flagged = verbatim.filter(({ outcome }) => outcome !== 'supported').length;
    row('evidence, sentences of the source itself that are not supported', String(flagged), '0', flagged === 0);
    await secondLooks(row, ollama, agent);
  } finally {
    ollama.server.close();
    agent.server.close();
  }
}

/** The second look changes no outcome; it tells about those that rules leave open. */
async function secondLooks(row, ollama, agent) {
  const pairs = JSON.parse(readFileSync(SETS[1].path, 'utf8'));
  for (const [name, look] of [
    ['that always tells the truth', (pair) => (pair.label ? 'yes' : 'no')],
    ['that always says yes', () => 'yes'],
    ['that talks nonsense', () => 'The passage is about fairings.'],
  ]) {
    const judged = await judgeAll(pairs, ollama, agent, { RAG_SECOND_LOOK: 'local' }, look);
    const open = judged.filter(({ outcome }) => outcome === 'unknown');
    const answered = open.filter(({ verdict }) => verdict !== undefined);
    const right = answered.filter(({ verdict, pair }) => (verdict === 'yes') === pair.label).length;
    row(
      `evidence, a second look by a model ${name}`,
      `${open.length} open by rules, ${answered.length} answered, ${right} rightly`,
      null,
      null,
    );
  }
}

function report(row, name, judged) {
  const differs = judged.filter(({ outcome }) => outcome === 'differs');
  const right = differs.filter(({ pair }) => !pair.label).length;
  const wrong = judged.filter(({ pair }) => !pair.label);
  const trusted = wrong.filter(({ outcome }) => outcome === 'supported').length;
  const hard = wrong.filter(({ pair }) => HARD.includes(pair.kind));
  const held = hard.filter(({ outcome }) => outcome !== 'supported').length;
  const precision = right / Math.max(1, differs.length);
  const recall = right / wrong.length;
  row(`evidence, ${name}: precision of “differs”`, precision.toFixed(3), '≥ 0.85', precision >= 0.85);
  row(`evidence, ${name}: recall`, `${recall.toFixed(3)} of ${wrong.length}`, '≥ 0.60', recall >= 0.6);
  row(
    `evidence, ${name}: swapped subjects, other pages, inventions not called supported`,
    `${held} of ${hard.length}`,
    null,
    null,
  );
  row(`evidence, ${name}: wrong sentences called supported`, String(trusted), null, null);
  const truths = judged.filter(({ pair }) => pair.label);
  const count = (outcome) => truths.filter((one) => one.outcome === outcome).length;
  row(
    `evidence, ${name}: true sentences`,
    `${count('supported')} supported, ${count('unknown')} cannot be told, ${count('differs') + count('no_source')} flagged, of ${truths.length}`,
    null,
    null,
  );
}

async function judgeAll(pairs, ollama, agent, env, look = () => 'no') {
  const ivy = await startIvy({ OLLAMA_BASE_URL: ollama.url, KNOWLEDGE_AGENT_URL: agent.url, ...env });
  const judged = [];
  for (const pair of pairs) {
    Object.assign(scene, { answer: `${pair.text} [1]`, passage: pair.passage, look: look(pair) });
    const response = await fetch(`${ivy.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'ivy-orchestrator',
        messages: [{ role: 'user', content: 'What do the documents say about this?' }],
      }),
    });
    const { ivy: found } = await response.json();
    const sentences = found?.evidence ?? [];
    const outcome = ['differs', 'no_source', 'unknown', 'supported'].find((one) =>
      sentences.some((sentence) => sentence.outcome === one),
    );
    judged.push({ pair, outcome, verdict: sentences.find((sentence) => sentence.second_look)?.second_look.verdict });
  }
  stopAll();
  return judged;
}

function ollamaHandler(url, body, response) {
  const json = (value) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  if (url === '/api/version') return json({ version: '0.17.4' });
  if (url === '/api/tags') {
    const details = { context_length: 32_768 };
    return json({
      models: [{ name: 'bench:latest', model: 'bench:latest', size: 1, details, capabilities: ['completion'] }],
    });
  }
  if (url !== '/api/chat') return response.writeHead(404).end();
  const { messages } = JSON.parse(body);
  const looks = messages.some(({ content }) => content.includes('Does the passage say this?'));
  const line = (fields) =>
    `${JSON.stringify({ model: 'bench', created_at: '2026-01-01T00:00:00Z', message: { role: 'assistant', content: '' }, done: false, ...fields })}\n`;
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  response.write(line({ message: { role: 'assistant', content: looks ? scene.look : scene.answer } }));
  return response.end(line({ done: true, done_reason: 'stop', prompt_eval_count: 3_000, eval_count: 50 }));
}

function agentHandler(url, _body, response) {
  const json = (value) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  if (url === '/health') return json({ status: 'healthy' });
  const { source, page, text, heading } = scene.passage;
  return json({ documents: [{ id: 'p', score: 0.9, source, page_index: page, text, heading }] });
}

async function listen(handle) {
  const server = createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => handle(request.url, Buffer.concat(chunks).toString(), response));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${server.address().port}` };
}

// `npm run bench -- retrieval`: how well and how fast passages are found, through the running product: the development
// sets for quality (quality.mjs), a generated corpus for size.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, say } from '../scripts/setup.mjs';
import { quantile, stream } from './client.mjs';
import { corpusPassages, corpusQuestion } from './corpus.mjs';
import { cpuSeconds, residentBytes, startIvy, startScript, stopAll, treeCpuSeconds } from './processes.mjs';
import { query, settled, uploadAll } from './product.mjs';
import { benchQuality } from './quality.mjs';

const SHARED = join(root, '..', 'shared', 'data');
const PDF_COPIES = 12;
/** The fake model that answers at once with one token. */
const ANSWERING = 'bench-1-0:latest';

/** Runs the benchmarks and hands every figure to `row(what, measured, must, reached)`. */
export async function benchRetrieval(row, sizes) {
  await benchQuality(row);
  await pdfPages(row);
  const curve = [];
  for (const size of sizes) curve.push({ size, ...(await sized(row, size, false)) });
  growth(row, curve);
  await sized(row, Math.max(...sizes), true);
}

/** Pages of real PDFs from upload to searchable. Every copy differs in its last bytes, or it would be the same document. */
async function pdfPages(row) {
  const folders = [join(SHARED, 'documents'), join(root, 'samples')].filter((folder) => existsSync(folder));
  const files = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.pdf') && !name.includes('password'))
      .map((name) => [name, readFileSync(join(folder, name))]),
  );
  const ivy = await startIvy({});
  const copies = Array.from({ length: PDF_COPIES }, (_, copy) =>
    files.map(([name, content]) => [`${copy}-${name}`, Buffer.concat([content, Buffer.from(`\n% ${copy}\n`)])]),
  );
  const started = performance.now();
  const before = treeCpuSeconds(ivy.pid);
  await uploadAll(ivy, copies.flat(), true);
  await settled(ivy, { vectors: false });
  const seconds = (performance.now() - started) / 1000;
  // The process that reads files is still there: it waits a minute for more.
  const processor = before === undefined ? seconds : treeCpuSeconds(ivy.pid) - before;
  const { documents } = await (await fetch(`${ivy.url}/documents?limit=200`)).json();
  const pages = documents.reduce((sum, document) => sum + (document.status === 'ready' ? document.pages : 0), 0);
  const rate = pages / processor;
  row(
    `PDF pages ingested (${pages} pages of ${copies.flat().length} files)`,
    `${(pages / seconds).toFixed(0)} pages/s, ${rate.toFixed(0)} per second of processor time`,
    '≥ 100 per core',
    rate >= 100,
  );
  stopAll();
}

/** Ingestion, search and memory with a generated corpus; searched by words, or with an embedding model as well. */
async function sized(row, passages, model) {
  const label = `${passages.toLocaleString('en')} passages${model ? ', 768 dimensions' : ''}`;
  say(`${label}: uploading…`);
  const embedder = model ? await startScript('embedder.mjs') : undefined;
  const upstream = await startScript('upstream.mjs');
  const settings = {
    LLM_PROVIDER: 'local',
    OLLAMA_BASE_URL: upstream.url,
    OLLAMA_MODEL: ANSWERING,
    ...(embedder && { EMBEDDING_MODEL: 'bench', EMBEDDING_BASE_URL: `${embedder.url}/v1` }),
  };
  const ivy = await startIvy(settings);
  const before = cpuSeconds(ivy.pid);
  const started = performance.now();
  await uploadAll(ivy, corpusPassages(passages), true);
  const pagesDone = await settled(ivy, { vectors: false });
  const seconds = (performance.now() - started) / 1000;
  row(
    `${label}: ingested`,
    `${(pagesDone / seconds).toFixed(0)} sections/s, ${seconds.toFixed(1)} s, server ${(cpuSeconds(ivy.pid) - before).toFixed(1)} s of processor time`,
    null,
    null,
  );
  const delay = ivy.loopDelay();
  row(
    `${label}: event loop held up while ingesting`,
    `p99 ${delay.p99.toFixed(1)} ms, longest ${delay.max.toFixed(0)} ms`,
    '≤ 30 ms',
    delay.p99 <= 30,
  );
  if (model) await settled(ivy, { model: 'bench' });
  if (model) row(`${label}: vectors ready after`, `${((performance.now() - started) / 1000).toFixed(1)} s`, null, null);
  const whole = [];
  const searches = [];
  for (let round = 0; round < 220; round++) {
    const from = performance.now();
    const { duration_ms, timings_ms } = await query(ivy, { query: corpusQuestion(round), limit: 10 });
    if (round < 20) continue;
    whole.push(performance.now() - from);
    // The embedding service is another process on the same machine: its time is not the search's.
    searches.push(duration_ms - (model ? timings_ms.embed : 0));
  }
  const must = passages >= 100_000;
  const [p50, p95] = [quantile(searches, 0.5), quantile(searches, 0.95)];
  row(
    `${label}: fused search${model ? ' without the embedding' : ''}`,
    `p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms`,
    must ? '≤ 15 ms, ≤ 40 ms' : null,
    must ? p50 <= 15 && p95 <= 40 : null,
  );
  const [all50, all95] = [quantile(whole, 0.5), quantile(whole, 0.95)];
  row(`${label}: /query over HTTP`, `p50 ${all50.toFixed(1)} ms, p95 ${all95.toFixed(1)} ms`, null, null);
  await addedToFirstToken(row, ivy, label, must);
  const bytes = residentBytes(ivy.pid);
  if (bytes !== undefined) {
    const reached = bytes <= 700 * 2 ** 20;
    row(`${label}: memory`, `${Math.round(bytes / 2 ** 20)} MB`, must ? '≤ 700 MB' : null, must ? reached : null);
  }
  process.kill(ivy.pid, 'SIGKILL');
  const again = performance.now();
  const second = await startIvy(settings, { home: ivy.home });
  row(`${label}: start with these documents`, `${((performance.now() - again) / 1000).toFixed(1)} s`, null, null);
  const restarted = residentBytes(second.pid);
  if (restarted !== undefined)
    row(`${label}: memory after a start`, `${Math.round(restarted / 2 ** 20)} MB`, null, null);
  stopAll();
  return { search: p50, ingestion: (1000 * seconds) / pagesDone, memory: bytes === undefined ? 0 : bytes / 2 ** 20 };
}

/** How figures grow with the passages. Nothing may grow faster than n log n, which for a whole is (n log n) / n for one. */
function growth(row, curve) {
  const [first, last] = [curve.at(0), curve.at(-1)];
  if (!first || !last || first === last) return;
  const whole = (last.size * Math.log(last.size)) / (first.size * Math.log(first.size));
  const one = Math.log(last.size) / Math.log(first.size);
  const show = (figure, unit) =>
    curve.map((at) => `${at.size.toLocaleString('en')}: ${at[figure].toFixed(1)} ${unit}`).join(', ');
  const grown = (figure) => last[figure] / first[figure];
  row('growth of a search, p50', show('search', 'ms'), '≤ n log n', grown('search') <= whole);
  row('growth of ingestion, each passage', show('ingestion', 'ms'), '≤ n log n', grown('ingestion') <= one);
  row('growth of memory', show('memory', 'MB'), '≤ n log n', grown('memory') <= whole);
}

/** What a question costs before its first token, against the same model without documents. */
async function addedToFirstToken(row, ivy, label, must) {
  const ask = (model, round) => {
    const messages = [{ role: 'user', content: corpusQuestion(1_000 + round) }];
    return stream(ivy.url, '/v1/chat/completions', { model, messages, stream: true });
  };
  const added = [];
  for (let round = 0; round < 120; round++) {
    const plain = await ask(`ollama/${ANSWERING}`, round);
    const searched = await ask('ivy-orchestrator', round);
    if (!plain.ok || !searched.ok) throw new Error('an answer of the benchmark failed');
    if (round >= 20) added.push(searched.firstMs - plain.firstMs);
  }
  const [p50, p95] = [quantile(added, 0.5), quantile(added, 0.95)];
  row(
    `${label}: retrieval added to first token`,
    `p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms`,
    must ? '≤ 25 ms' : null,
    must ? p50 <= 25 : null,
  );
}

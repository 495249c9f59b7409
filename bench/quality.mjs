// How well the right passages are found, through the running product: documents are uploaded, questions go to /query.
// The development sets lie beside the checkout (../shared/data); without them they are left out, and that is said.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, say } from '../scripts/setup.mjs';
import { plainBm25 } from './plain-bm25.mjs';
import { startIvy, startScript, stopAll } from './processes.mjs';
import { query, settled, uploadAll } from './product.mjs';

const SHARED = join(root, '..', 'shared', 'data');
/** Deep enough for ten documents or pages, however many passages of each come. */
const LIMIT = 100;

/** Sets of one document for each record, judged by document. */
const COLLECTIONS = [
  { name: 'cacm', language: 'en' },
  { name: 'cisi', language: 'en' },
  { name: 'xquad-zh', language: 'zh', must: 0.93 },
  { name: 'xquad-de', language: 'de', must: 0.93 },
  { name: 'xquad-de-en', language: 'de' },
];

/** Measures every set that is there: words, fused with two embedding models, and plain BM25. */
export async function benchQuality(row) {
  const means = [];
  for (const { name, language, must } of COLLECTIONS) {
    const folder = join(SHARED, 'retrieval', name);
    if (!existsSync(folder)) {
      say(`${name} is not there (../shared/data/retrieval/${name}): it is not measured.`);
      continue;
    }
    means.push(await collection(row, { name, language, must, ...readCollection(folder, name) }));
  }
  if (means.length > 0) {
    const mean = (figure) => means.reduce((sum, result) => sum + result[figure], 0) / means.length;
    row(
      'mean nDCG@10 over the collections: words, plain BM25',
      `${mean('words').toFixed(3)}, ${mean('plain').toFixed(3)}`,
      'words > plain',
      mean('words') > mean('plain'),
    );
  }
  await pages(row, 'manuals', join(SHARED, 'retrieval', 'manuals'), { first: 11, five: 17, both: 4 });
  await pages(row, 'questions about real documents', join(SHARED, 'documents'), { first: 23, five: 31 });
}

async function collection(row, { name, language, must, documents, queries, relevant }) {
  say(`${name}: ${documents.length} documents…`);
  const judged = queries.filter(({ id }) => relevant.get(id)?.size > 0);
  const plainSearch = plainBm25(
    documents.map(({ id, title, text }) => ({ key: id, text: `${title}\n${text}` })),
    language,
  );
  const plain = figures(judged.map(({ id, text }) => ({ ids: plainSearch(text), relevant: relevant.get(id) })));
  const files = documents.map(({ id, title, text }) => [`${id}.md`, title ? `# ${title}\n\n${text}\n` : `${text}\n`]);
  const ask = async (ivy, stages) => {
    const runs = [];
    for (const { id, text } of judged) {
      const { documents: found } = await query(ivy, { query: text, limit: LIMIT, ...(stages && { stages }) });
      runs.push({
        ids: [...new Set(found.map(({ source }) => source.replace(/\.md$/, '')))],
        relevant: relevant.get(id),
      });
    }
    return figures(runs);
  };
  const ivy = await startIvy({});
  await uploadAll(ivy, files);
  await settled(ivy);
  const words = await ask(ivy);
  stopAll();
  row(
    `${name}, words alone (no embedding model; all ${documents.length} documents indexed)`,
    show(words),
    must ? `nDCG@10 ≥ ${must}` : 'within 0.01 of plain BM25',
    words.ndcg >= (must ?? plain.ndcg - 0.01),
  );
  row(`${name}, plain BM25 on the same text`, show(plain), null, null);
  for (const [kind, must_] of [
    ['better', (fused) => fused.ndcg > words.ndcg],
    ['worse', (fused) => fused.ndcg >= words.ndcg - 0.01],
  ]) {
    const embedder = await startScript('judge-embedder.mjs', { QUALITY: kind, SET: name });
    const both = await startIvy({ EMBEDDING_MODEL: kind, EMBEDDING_BASE_URL: `${embedder.url}/v1` });
    await uploadAll(both, files);
    await settled(both, { model: kind });
    const fused = await ask(both);
    const vectors = await ask(both, ['vector']);
    row(
      `${name}, fused with a test model that is ${kind} than words (vectors alone: nDCG@10 ${vectors.ndcg.toFixed(3)})`,
      show(fused),
      kind === 'better' ? '> words' : '≥ words - 0.01',
      must_(fused),
    );
    stopAll();
  }
  return { words: words.ndcg, plain: plain.ndcg };
}

/** Questions with known pages. */
async function pages(row, name, folder, must) {
  if (!existsSync(folder)) return say(`${name}: ${folder} is not there; it is not measured.`);
  const { questions, multihop = [] } =
    name === 'manuals'
      ? readJson(join(folder, 'questions.json'))
      : { questions: readJson(join(root, 'bench', 'questions.json')) };
  const ivy = await startIvy({});
  const files = readdirSync(folder).filter((file) => !file.endsWith('.json'));
  await uploadAll(
    ivy,
    files.map((file) => [file, readFileSync(join(folder, file))]),
  );
  await settled(ivy);
  const right =
    ({ source, pages: wanted, contains }) =>
    (passage) =>
      passage.source === source && (wanted ? wanted.includes(passage.page_index) : passage.text.includes(contains));
  let first = 0;
  let five = 0;
  let reciprocal = 0;
  let answerable = 0;
  let named = 0;
  let absent = 0;
  let absentNamed = 0;
  for (const question of questions) {
    const { documents: found, missing } = await query(ivy, { query: question.question, limit: 10 });
    if (question.kind === 'absent') {
      absent += 1;
      if (missing) absentNamed += 1;
      continue;
    }
    answerable += 1;
    if (missing) named += 1;
    const place = found.findIndex(right(question));
    if (place === 0) first += 1;
    if (place >= 0 && place < 5) five += 1;
    else say(`not among the first five: ${question.question}`);
    if (place >= 0) reciprocal += 1 / (place + 1);
  }
  const mrr = (reciprocal / answerable).toFixed(3);
  row(`${name}: right page first of ${answerable} (MRR ${mrr})`, `${first}`, `≥ ${must.first}`, first >= must.first);
  row(`${name}: among the first five`, `${five}`, `≥ ${must.five}`, five >= must.five);
  if (absent > 0) {
    row(`${name}: absent questions that name what is missing, of ${absent}`, `${absentNamed}`, '≥ 3', absentNamed >= 3);
    row(`${name}: answerable questions that name anything`, `${named}`, '≤ 1', named <= 1);
  } else row(`${name}: answerable questions that name anything`, `${named}`, null, null);
  if (multihop.length > 0) {
    let both = 0;
    for (const { question, parts } of multihop) {
      const { documents: found } = await query(ivy, { query: question, limit: 10 });
      if (parts.every((part) => found.some(right(part)))) both += 1;
    }
    row(
      `${name}: questions with two places, both in the first ten, of ${multihop.length}`,
      `${both}`,
      `≥ ${must.both}`,
      both >= must.both,
    );
  }
  stopAll();
}

const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));
const readLines = (path) =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

function readCollection(folder, name) {
  if (name === 'cisi') return readCisi(folder);
  const relevant = new Map(Object.entries(readJson(join(folder, 'qrels.json'))).map(([id, ids]) => [id, new Set(ids)]));
  const documents = readLines(join(folder, 'docs.jsonl')).map(({ id, title, text }) => ({
    id,
    title,
    text: text === '-' ? '' : text,
  }));
  return { documents, queries: readLines(join(folder, 'queries.jsonl')), relevant };
}

/** Records begin with `.I <id>`; fields are `.T` title, `.W` text. Relevance: query in the first column, document in the second. */
function readCisi(folder) {
  const records = (name) => {
    const all = [];
    let field = '';
    for (const line of readFileSync(join(folder, name), 'utf8').split('\n')) {
      const start = /^\.I (\d+)/.exec(line);
      if (start) {
        all.push({ id: start[1], T: '', W: '' });
        field = '';
      } else if (/^\.[A-Z]\s*$/.test(line)) field = line[1];
      else if (field === 'T' || field === 'W') all.at(-1)[field] += `${line}\n`;
    }
    return all;
  };
  const relevant = new Map();
  for (const line of readFileSync(join(folder, 'CISI.REL'), 'utf8').split('\n')) {
    const [id, document] = line.trim().split(/\s+/);
    if (id) relevant.set(id, (relevant.get(id) ?? new Set()).add(document));
  }
  return {
    documents: records('CISI.ALL').map(({ id, T, W }) => ({
      id,
      title: T.trim().replace(/\s+/g, ' '),
      text: W.trim(),
    })),
    queries: records('CISI.QRY').map(({ id, T, W }) => ({ id, text: `${T} ${W}`.trim() })),
    relevant,
  };
}

/** Binary gains. */
function figures(runs) {
  const mean = (value) => runs.reduce((sum, run) => sum + value(run), 0) / runs.length;
  const place = ({ ids, relevant }) => ids.findIndex((id) => relevant.has(id));
  const gain = (at) => 1 / Math.log2(at + 2);
  return {
    ndcg: mean(({ ids, relevant }) => {
      const reached = ids.slice(0, 10).reduce((sum, id, at) => sum + (relevant.has(id) ? gain(at) : 0), 0);
      const ideal = Array.from({ length: Math.min(10, relevant.size) }, (_, at) => gain(at)).reduce((a, b) => a + b, 0);
      return reached / ideal;
    }),
    mrr: mean((run) => (place(run) < 0 ? 0 : 1 / (place(run) + 1))),
    first: mean((run) => (place(run) === 0 ? 1 : 0)),
    five: mean((run) => (place(run) >= 0 && place(run) < 5 ? 1 : 0)),
  };
}

const show = ({ ndcg, mrr, first, five }) =>
  `nDCG@10 ${ndcg.toFixed(3)}, MRR ${mrr.toFixed(3)}, hit@1 ${first.toFixed(3)}, hit@5 ${five.toFixed(3)}`;

// Two deterministic embedding models over a development set. The better one has read the judgements: a question's vector
// is the middle of its documents' vectors, with noise. The worse one adds up a direction for each word of a text, in too
// few dimensions to tell texts apart well.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

const { QUALITY, SET } = process.env;
const DIMENSIONS = QUALITY === 'better' ? 512 : 48;
const NOISE = 0.5;
const folder = join(import.meta.dirname, '..', '..', 'shared', 'data', 'retrieval', SET);

function randomNumbers(seed) {
  let state = createHash('sha256').update(seed).digest().readUInt32LE(0);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const known = new Map();
/** A direction of its own for every name. */
function direction(name) {
  let vector = known.get(name);
  if (!vector) {
    const random = randomNumbers(name);
    vector = Float32Array.from({ length: DIMENSIONS }, () => random() + random() + random() - 1.5);
    known.set(name, vector);
  }
  return vector;
}

function words(text) {
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  return (plain.match(/[\p{Script=Han}]|[\p{L}\p{N}]+/gu) ?? []).map((word) => word.slice(0, 5));
}

function sumOf(names) {
  const sum = new Float32Array(DIMENSIONS);
  for (const name of names) for (const [index, value] of direction(name).entries()) sum[index] += value;
  return sum;
}

const unit = (vector) => {
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
};

const lines = (name) => readFileSync(join(folder, name), 'utf8').trim().split('\n');
/** From a question's text to its documents' texts. */
const answers = new Map();
if (QUALITY === 'better') {
  if (SET === 'cisi') {
    const records = (name) => readFileSync(join(folder, name), 'utf8').split(/^\.I /m).slice(1);
    const field = (record, sign) =>
      new RegExp(`^\\.${sign}\\n([\\s\\S]*?)(?=^\\.[A-Z]\\n|$(?![\\s\\S]))`, 'm').exec(record)?.[1] ?? '';
    const texts = new Map(records('CISI.ALL').map((record) => [record.split('\n')[0].trim(), field(record, 'W')]));
    const relevant = new Map();
    for (const line of lines('CISI.REL')) {
      const [id, document] = line.trim().split(/\s+/);
      relevant.set(id, [...(relevant.get(id) ?? []), texts.get(document)]);
    }
    for (const record of records('CISI.QRY')) {
      const id = record.split('\n')[0].trim();
      answers.set(`${field(record, 'T')} ${field(record, 'W')}`.trim(), relevant.get(id) ?? []);
    }
  } else {
    const texts = new Map(
      lines('docs.jsonl')
        .map((line) => JSON.parse(line))
        .map(({ id, title, text }) => [id, `${title} ${text}`]),
    );
    const relevant = JSON.parse(readFileSync(join(folder, 'qrels.json'), 'utf8'));
    for (const { id, text } of lines('queries.jsonl').map((line) => JSON.parse(line))) {
      answers.set(
        text,
        (relevant[id] ?? []).map((document) => texts.get(document)),
      );
    }
  }
}

function embed(text) {
  const right = answers.get(text.trim());
  if (!right || right.length === 0) return unit(sumOf(words(text)));
  const middle = new Float32Array(DIMENSIONS);
  for (const document of right)
    for (const [index, value] of unit(sumOf(words(document))).entries()) middle[index] += value;
  const random = randomNumbers(text);
  return unit(
    unit(middle).map((value) => value + (NOISE * (random() + random() + random() - 1.5)) / Math.sqrt(DIMENSIONS / 4)),
  );
}

createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  if (request.url !== '/v1/embeddings') return response.end('{}');
  const { input } = JSON.parse(Buffer.concat(chunks));
  const data = input.map((text, index) => ({ index, embedding: [...embed(text)] }));
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ data }));
}).listen(Number(process.env.PORT), '127.0.0.1');

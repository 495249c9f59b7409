// An embedding service with 768 dimensions, as fast as it can be: a text's vector is made of its first words,
// so that the same words give the same direction.
import { createServer } from 'node:http';

const DIMENSIONS = 768;
const directions = new Map();

function direction(word) {
  let vector = directions.get(word);
  if (!vector) {
    let state = [...word].reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) >>> 0, 7);
    vector = Float32Array.from({ length: DIMENSIONS }, () => {
      state = (state * 1_664_525 + 1_013_904_223) >>> 0;
      return state / 2 ** 31 - 1;
    });
    directions.set(word, vector);
  }
  return vector;
}

function embed(text) {
  const sum = new Float32Array(DIMENSIONS);
  for (const word of (text.match(/[a-z]+/g) ?? []).slice(0, 40)) {
    const vector = direction(word);
    for (let index = 0; index < DIMENSIONS; index++) sum[index] += vector[index];
  }
  return Array.from(sum, (value) => Math.round(value * 100) / 100);
}

createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  if (request.url !== '/v1/embeddings') return response.end('{}');
  const { input } = JSON.parse(Buffer.concat(chunks));
  const data = input.map((text, index) => ({ index, embedding: embed(text) }));
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ data }));
}).listen(Number(process.env.PORT), '127.0.0.1');

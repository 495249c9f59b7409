// A fast fake Ollama in a process of its own: `/api/tags` and paced `/api/chat` streams. The model's
// name says the pace: `bench-<tokens>-<tokens per second>:latest`, 0 for as fast as can be.
import { createServer } from 'node:http';

const MODELS = ['bench-100-0', 'bench-1-0', 'bench-200-20', 'bench-50-5'].map((name) => `${name}:latest`);
const line = (fields) =>
  `${JSON.stringify({ model: 'bench', created_at: '2026-01-01T00:00:00Z', message: { role: 'assistant', content: '' }, done: false, ...fields })}\n`;
const TOKEN = line({ message: { role: 'assistant', content: 'token ' } });
const DONE = line({ done: true, done_reason: 'stop', prompt_eval_count: 10, eval_count: 100 });

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    if (request.url === '/api/version') return json(response, { version: '0.17.4' });
    if (request.url === '/api/tags') return json(response, { models: MODELS.map(tag) });
    const { model } = JSON.parse(Buffer.concat(chunks).toString() || '{}');
    const [, tokens, rate] = /^bench-(\d+)-(\d+)/.exec(model)?.map(Number) ?? [];
    // The comparison gateway speaks Ollama's OpenAI form.
    if (request.url === '/v1/chat/completions') return events(response, tokens);
    if (request.url !== '/api/chat') return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    if (rate === 0) return response.end(TOKEN.repeat(tokens) + DONE);
    let sent = 0;
    const timer = setInterval(() => {
      response.write(TOKEN);
      sent += 1;
      if (sent < tokens) return;
      clearInterval(timer);
      response.end(DONE);
    }, 1000 / rate);
    response.on('close', () => clearInterval(timer));
  });
});

const chunk = (delta, finish) =>
  `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model: 'bench', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const CHUNK = chunk({ content: 'token ' }, null);

function events(response, tokens) {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(`${CHUNK.repeat(tokens)}${chunk({}, 'stop')}data: [DONE]\n\n`);
}

function json(response, body) {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function tag(name) {
  return { name, model: name, size: 1, details: { context_length: 8192 }, capabilities: ['completion'] };
}

server.keepAliveTimeout = 65_000;
server.listen(Number(process.env.PORT), '127.0.0.1');

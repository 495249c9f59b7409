// The floor: a bare relay from Ollama's NDJSON to OpenAI's server-sent events, with nothing else.
import { Agent, createServer, request as send } from 'node:http';

const upstream = new URL(process.env.UPSTREAM);
const agent = new Agent({ keepAlive: true });
const prefix =
  'data: {"id":"x","object":"chat.completion.chunk","created":1,"model":"x","choices":[{"index":0,"delta":';

createServer((request, response) => {
  if (request.method !== 'POST') return response.writeHead(404).end();
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const { model, messages } = JSON.parse(Buffer.concat(chunks).toString());
    const call = send(
      { host: upstream.hostname, port: upstream.port, path: '/api/chat', method: 'POST', agent },
      (source) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        let carry = '';
        source.setEncoding('utf8');
        source.on('data', (data) => {
          const lines = (carry + data).split('\n');
          carry = lines.pop();
          let out = '';
          for (const line of lines) {
            const { message, done } = JSON.parse(line);
            out += `${prefix}${JSON.stringify(done ? {} : { content: message.content })},"finish_reason":${done ? '"stop"' : 'null'}}]}\n\n`;
          }
          response.write(out);
        });
        source.on('end', () => response.end('data: [DONE]\n\n'));
      },
    );
    call.end(JSON.stringify({ model: model.replace('ollama/', ''), messages, stream: true }));
    response.on('close', () => call.destroy());
  });
}).listen(Number(process.env.PORT), '127.0.0.1');

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { patience } from '../testing/collect';
import { openNdjson } from './ndjson';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** Reads the answer of a service that writes `parts`, 20 ms apart, and then breaks the connection. */
async function open(parts: readonly string[]) {
  const started = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    const rest = [...parts];
    const next = () => {
      const part = rest.shift();
      if (part === undefined) return response.destroy();
      response.write(part);
      return setTimeout(next, 20);
    };
    next();
  });
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
  const limits = { service: 'Test', firstByteMs: 5_000, idleMs: 5_000, maxLineBytes: 1_000, signal: patience() };
  return openNdjson({ url, method: 'POST', headers: {}, body: '' }, limits);
}

test('lines that arrived before the connection broke reach a slow reader, and then the failure', async () => {
  const reader = await open(['{"n":1}\n', '{"n":2}\n{"n"', ':3}\n', '{"n":4']);
  const values: unknown[] = [];
  const failure = await (async () => {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      const lines = await reader.next();
      if (!lines) return 'the end';
      values.push(...lines.values);
    }
  })().catch((error) => error);
  expect(values).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  expect(failure).toMatchObject({ code: 'stream_truncated' });
});

test('characters cut between two reads come out whole, and line separators inside a text are no line ends', async () => {
  const bytes = Buffer.from('{"t":"Größe 漢\u2028x"}\n{"t":"y"}\n');
  const parts = [...bytes].map((byte) => String.fromCharCode(byte));
  const started = createServer((_request, response) => {
    response.writeHead(200);
    for (const part of parts) response.write(Buffer.from(part, 'latin1'));
    response.end();
  });
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
  const reader = await openNdjson(
    { url, method: 'POST', headers: {}, body: '' },
    { service: 'Test', firstByteMs: 5_000, idleMs: 5_000, maxLineBytes: 1_000, signal: patience() },
  );
  const values: unknown[] = [];
  for (let lines = await reader.next(); lines; lines = await reader.next()) values.push(...lines.values);
  expect(values).toEqual([{ t: 'Größe 漢\u2028x' }, { t: 'y' }]);
});

import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { eventually } from '../testing/collect';
import { guardServer } from './server-guard';

let server: Server;
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const REQUEST = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';

test('D6: a client that takes nothing is cut off; one that waits for a slow answer is not', async () => {
  guardServer(200);
  let cut = 0;
  server = createServer((request, response) => {
    if (request.url === '/slow') return setTimeout(() => response.end('late'), 1_000);
    response.once('close', () => {
      if (!response.writableFinished) cut += 1;
    });
    return response.write('x'.repeat(64 * 1024 * 1024));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const deaf = connect(port, '127.0.0.1').pause();
  deaf.on('error', () => {});
  deaf.write(REQUEST);
  const patient = fetch(`http://127.0.0.1:${port}/slow`).then((response) => response.text());
  await eventually(() => cut === 1);
  expect(await patient).toBe('late');
  expect(server.headersTimeout).toBe(30_000);
  deaf.destroy();
});

test('a connection kept for a next request still ends when none comes', async () => {
  guardServer(60_000);
  server = createServer((_request, response) => response.end('hello'));
  server.keepAliveTimeout = 200;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const open = () => {
    const state = { closed: false, answers: 0 };
    const socket = connect(port, '127.0.0.1', () => socket.write(REQUEST));
    socket.on('data', () => (state.answers += 1));
    socket.on('close', () => (state.closed = true));
    return state;
  };
  const first = open();
  await eventually(() => first.answers > 0);
  const second = open();
  await eventually(() => second.answers > 0);
  await eventually(() => second.closed);
});

import { subscribe } from 'node:diagnostics_channel';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** A client that takes none of what was written to it for so long is cut off. */
const READER_MS = 60_000;
/** Longest time for the header of a request; Node looks at its connections every 30 s. */
const HEADERS_MS = 30_000;

/**
 * Sets the limits of the HTTP server. Next creates it and hands it to nobody, but Node announces every
 * request with the server it came to.
 */
export function guardServer(readerMs = READER_MS): void {
  const guarded = new WeakSet<Server>();
  /** Connections with a request that is not answered yet. */
  const busy = new WeakSet<Socket>();
  subscribe('http.server.response.finish', (message) => void busy.delete((message as Announcement).socket));
  subscribe('http.server.request.start', (message) => {
    const { server, socket } = message as Announcement;
    busy.add(socket);
    if (guarded.has(server)) return;
    guarded.add(server);
    server.headersTimeout = HEADERS_MS;
    server.setTimeout(readerMs, (silent: Socket) => {
      // Silence is no fault of a client that waits for a slow answer: only what it does not take is. A connection
      // that is kept for a next request gets here too, and ends as it would without this listener.
      if (!busy.has(silent) || silent.writableLength > 0) silent.destroy();
      else silent.setTimeout(readerMs);
    });
    // The limit is for connections to come; this one is there already.
    socket.setTimeout(readerMs);
  });
}

interface Announcement {
  server: Server;
  socket: Socket;
}

import { Agent, request as send } from 'node:http';

const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

/** What the fake upstream writes for each token; several may share a frame. */
const TOKEN = 'token ';
/** Longest piece of a stream that has to be looked at together with the next one. */
const TAIL = 64;

/** Reads one stream to its end. Times are milliseconds; `gaps` lie between reads that brought tokens. */
export function stream(url, path, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    let firstMs;
    let tokens = 0;
    let tail = '';
    let last;
    const gaps = [];
    const read = (data) => {
      const text = tail + data;
      let seen = 0;
      for (let at = text.indexOf(TOKEN); at >= 0; at = text.indexOf(TOKEN, seen)) {
        tokens += 1;
        seen = at + TOKEN.length;
      }
      if (seen > 0) {
        const now = performance.now();
        firstMs ??= now - started;
        if (last !== undefined) gaps.push(now - last);
        last = now;
      }
      // A token may be cut between two reads, but none is counted twice.
      tail = text.slice(Math.max(seen, text.length - TAIL));
    };
    const options = { method: 'POST', agent, headers: { 'content-type': 'application/json', ...headers } };
    const call = send(url + path, options, (response) => {
      response.setEncoding('utf8');
      response.on('data', read);
      response.on('error', reject);
      response.on('end', () => {
        const complete = tail.includes('[DONE]') || tail.includes('eval_count');
        resolve({ firstMs, tokens, gaps, ok: response.statusCode === 200 && complete });
      });
    });
    call.on('error', reject);
    call.setTimeout(60_000, () => call.destroy(new Error('a stream was silent for a minute')));
    call.end(JSON.stringify(body));
  });
}

export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

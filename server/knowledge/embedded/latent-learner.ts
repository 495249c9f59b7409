import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { forkWorker } from './fork-worker';
import { dimensionsFor } from './latent';
import type { LatentOrder } from './latent-worker';
import type { PassageStore } from './passage-store';

/** More passages make the model hardly better, and learning slower. */
const MAX_PASSAGES = 20_000;
const HEAP_MB = 1024;

/** Learns a latent model from what the store holds into a file, in a process of its own. Throws when that fails. */
export async function learnLatent(
  options: { store: PassageStore; workerPath: string; path: string; passages: number },
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const child = forkWorker(options.workerPath, HEAP_MB);
  const stop = () => child.kill('SIGKILL');
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const terms of options.store.sampleTerms(MAX_PASSAGES)) await tell(child, { terms });
    const dimensions = dimensionsFor(options.passages);
    const exit = once(child, 'exit');
    child.send({ dimensions, path: options.path } satisfies LatentOrder);
    await exit;
    signal.throwIfAborted();
    if (!existsSync(options.path)) throw new Error('the process that learns the latent model ended without a result');
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}

/** Sends a portion and waits until it was taken, so that the channel never fills up. */
async function tell(child: ChildProcess, order: LatentOrder): Promise<void> {
  const gone = new AbortController();
  const onExit = () => gone.abort(new Error('the process that learns the latent model died'));
  child.once('exit', onExit);
  try {
    const taken = once(child, 'message', { signal: gone.signal });
    child.send(order);
    await taken;
  } finally {
    child.off('exit', onExit);
  }
}

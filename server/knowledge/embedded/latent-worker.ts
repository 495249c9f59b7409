/**
 * Entry of the process that learns the latent model: seconds of arithmetic that must not hold up the
 * server. It is sent the terms of passages in portions, then the order to learn, and ends when done.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { learn, toBytes } from './latent';

export type LatentOrder = { terms: readonly string[] } | { dimensions: number; path: string };

setPriority(10);
const passages: string[][] = [];

process.on('message', (order: LatentOrder) => {
  if ('terms' in order) {
    for (const terms of order.terms) passages.push(terms.split(' '));
    process.send?.('more');
    return;
  }
  const half = `${order.path}.half`;
  writeFileSync(half, toBytes(learn(passages, order.dimensions)));
  renameSync(half, order.path);
  process.disconnect();
});

process.on('disconnect', () => process.exit(0));

import { buildWorkers } from '../../scripts/setup.mjs';

/** The processes beside the server are bundles of their own; tests need them as the product does. */
export default async function setup(): Promise<void> {
  await buildWorkers();
}

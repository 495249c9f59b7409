import { buildParser } from '../../scripts/setup.mjs';

/** The parsing process is a bundle of its own; tests need it as the product does. */
export default async function setup(): Promise<void> {
  await buildParser();
}

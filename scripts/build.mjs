// Builds the server and the processes beside it.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { bin, buildWorkers, completeStandalone, ensureDependencies, root, run } from './setup.mjs';

ensureDependencies();
rmSync(join(root, '.next', 'standalone'), { recursive: true, force: true });
run(bin('next'), ['build'], { NODE_ENV: 'production' });
completeStandalone();
await buildWorkers();

// `npm run check`: types, lint, dead code, unit tests.
import { bin, ensureDependencies, run, say } from './setup.mjs';

ensureDependencies();
const steps = [
  ['Types', bin('next'), ['typegen']],
  [null, bin('tsc'), ['--noEmit', '--incremental', 'false']],
  ['Lint and format', bin('biome'), ['check', '--error-on-warnings', '.']],
  ['Dead code', bin('knip'), []],
  ['Unit tests', bin('vitest'), ['run']],
];
for (const [name, command, args] of steps) {
  if (name) say(name);
  run(command, args);
}

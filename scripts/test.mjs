// `npm test`: all set-up, then every test, the real browser included. Fails when a test fails and
// when none ran; the last line says how many.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bin, ensureBrowser, ensureBuild, ensureDependencies, root, say } from './setup.mjs';

ensureDependencies();
ensureBuild();
const browser = await ensureBrowser();

const reports = mkdtempSync(join(tmpdir(), 'ivy-test-'));
const total = { passed: 0, failed: 0, skipped: 0 };
let broken = false;

say('Unit and contract tests');
const unit = join(reports, 'unit.json');
runner(bin('vitest'), ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${unit}`]);
count(unit, ({ numPassedTests, numFailedTests, numPendingTests }) => [numPassedTests, numFailedTests, numPendingTests]);

say('End-to-end tests in Chromium');
const e2e = join(reports, 'e2e.json');
runner(bin('playwright'), ['test', '--reporter=list,json'], {
  IVY_CHROMIUM: browser,
  PLAYWRIGHT_JSON_OUTPUT_NAME: e2e,
});
count(e2e, ({ stats }) => {
  if (stats.flaky > 0) say(`${stats.flaky} of these passed only on the second try`);
  return [stats.expected + stats.flaky, stats.unexpected, stats.skipped];
});

rmSync(reports, { recursive: true, force: true });
if (total.passed === 0) {
  say('No test ran.');
  broken = true;
}
if (broken && total.failed === 0) total.failed = 1;
process.stdout.write(
  `${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}\n`,
);
process.exit(broken || total.failed > 0 ? 1 : 0);

function runner(command, args, env = {}) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
  if (status !== 0) broken = true;
}

function count(path, read) {
  try {
    const [passed, failed, skipped] = read(JSON.parse(readFileSync(path, 'utf8')));
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
    if (passed === 0) broken = true;
  } catch {
    say('The runner left no report: it did not get as far as running tests.');
    broken = true;
  }
}

// `npm run e2e:open-webui`: a real Open WebUI from PyPI, in a virtual environment of its own, against a real
// Ivy in Chromium. Needs Python 3.11 or 3.12 and some gigabytes of disk. OPEN_WEBUI names an installed one.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bin, ensureBrowser, ensureBuild, ensureDependencies, root, run, say } from './setup.mjs';

const VERSION = '0.12.4';

ensureDependencies();
ensureBuild();
const browser = await ensureBrowser();
const program = process.env.OPEN_WEBUI ?? install();
run(bin('playwright'), ['test', 'real', '--workers=1', ...process.argv.slice(2)], {
  IVY_CHROMIUM: browser,
  OPEN_WEBUI: program,
});

function install() {
  const folder = join(root, '.open-webui', VERSION);
  const installed = join(folder, 'bin', 'open-webui');
  if (existsSync(installed)) return installed;
  say(`Installing Open WebUI ${VERSION} (some gigabytes, once)…`);
  run(process.env.PYTHON ?? 'python3', ['-m', 'venv', folder]);
  run(join(folder, 'bin', 'pip'), ['install', '--quiet', 'uv']);
  // uv settles its many dependencies in a minute; pip alone tries for hours.
  const python = join(folder, 'bin', 'python');
  run(join(folder, 'bin', 'uv'), ['pip', 'install', '--quiet', '--python', python, `open-webui==${VERSION}`]);
  return installed;
}

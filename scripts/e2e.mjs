// `npm run e2e -- [Playwright's arguments]`: only the browser tests.
import { bin, ensureBrowser, ensureBuild, ensureDependencies, run } from './setup.mjs';

ensureDependencies();
ensureBuild();
const browser = await ensureBrowser();
run(bin('playwright'), ['test', ...process.argv.slice(2)], { IVY_CHROMIUM: browser });

import { defineConfig } from 'playwright/test';

export default defineConfig({
  testDir: 'e2e',
  // A real Open WebUI is tried by `npm run e2e:open-webui` only.
  testIgnore: process.env['OPEN_WEBUI'] ? [] : 'real/**',
  outputDir: 'test-results',
  workers: 2,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  // On a busy machine a browser may come too late once; what passes only on the second try is named at the end.
  retries: process.env['CI'] ? 1 : 0,
  forbidOnly: Boolean(process.env['CI']),
  reporter: 'list',
  use: {
    browserName: 'chromium',
    launchOptions: {
      executablePath: process.env['IVY_CHROMIUM'],
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    },
    trace: 'retain-on-failure',
  },
});

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { alias: { '@': fileURLToPath(new URL('.', import.meta.url)) } },
  test: {
    include: ['server/**/*.test.ts', 'app/**/*.test.ts', 'components/**/*.test.ts'],
    globalSetup: ['server/testing/build-workers.ts'],
    env: { IVY_LOG_LEVEL: 'silent' },
    // A hang limit, not a measure: the machine may be slow.
    testTimeout: 30_000,
  },
});

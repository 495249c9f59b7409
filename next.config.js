import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('.', import.meta.url));

/** @type {import('next').NextConfig} */
export default {
  output: 'standalone',
  // A stray lock file in a parent folder would otherwise move server.js.
  outputFileTracingRoot: root,
  turbopack: { root },
  // Native binaries that are looked up at run time, which tracing cannot see; the first belongs to
  // the parsing process, which scripts/build.mjs bundles.
  outputFileTracingIncludes: {
    '/**': [
      './node_modules/@firecrawl/**',
      './node_modules/@lancedb/lancedb-*/**',
      './node_modules/@photostructure/sqlite/prebuilds/**',
    ],
  },
  outputFileTracingExcludes: { '/**': ['./data/**', './.git/**', './bench/**', './e2e/**', './samples/**'] },
  serverExternalPackages: [
    '@firecrawl/pdf-inspector',
    '@lancedb/lancedb',
    '@photostructure/sqlite',
    'apache-arrow',
    'chokidar',
    'pino',
    'undici',
  ],
  images: { unoptimized: true },
  poweredByHeader: false,
  reactStrictMode: true,
  skipTrailingSlashRedirect: true,
  // Types are checked by `npm run check`; a user's build need not do it again.
  typescript: { ignoreBuildErrors: true },
};

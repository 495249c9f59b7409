# syntax=docker/dockerfile:1
FROM node:24-bookworm-slim AS build
WORKDIR /ivy
COPY package.json package-lock.json ./
COPY scripts ./scripts
RUN node -e "import('./scripts/setup.mjs').then((setup) => setup.ensureDependencies())"
COPY . .
RUN node scripts/build.mjs

FROM node:24-bookworm-slim
WORKDIR /ivy
# The server lies apart from the folder that holds .env, so that Next does not load that file itself.
ENV NODE_ENV=production NEXT_TELEMETRY_DISABLED=1 NEXT_MANUAL_SIG_HANDLE=true KEEP_ALIVE_TIMEOUT=65000 \
    HOSTNAME=0.0.0.0 HOST=0.0.0.0 PORT=8000 IVY_ROOT=/ivy IVY_DATA_DIR=/data \
    MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=8388608 MALLOC_TRIM_THRESHOLD_=8388608
COPY --from=build --chown=node:node /ivy/.next/standalone ./app
COPY --from=build --chown=node:node /ivy/node_modules/@firecrawl ./node_modules/@firecrawl
COPY --from=build --chown=node:node /ivy/dist ./dist
COPY --from=build --chown=node:node /ivy/samples ./samples
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
  CMD node -e "fetch('http://127.0.0.1:8000/ready').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"
CMD ["node", "app/server.js"]

FROM node:24-bookworm-slim AS base
WORKDIR /app

FROM base AS build
# better-sqlite3 is compiled where no prebuilt binary can be had.
RUN apt-get update && apt-get install -y --no-install-recommends python3 make g++ && rm -rf /var/lib/apt/lists/*
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build && npm prune --omit=dev

FROM base
# Half of the threads look names up, and each domain whose DNS is silent keeps one of them for seconds.
ENV NODE_ENV=production HOST=0.0.0.0 DATABASE_URL=file:/data/patchbay.db UV_THREADPOOL_SIZE=16
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json ./
COPY manifests manifests
# Read from src when the server runs.
COPY src/db/migrations src/db/migrations
COPY src/connectors/example/crm/page src/connectors/example/crm/page
# With mode 0700, as the server makes it: the key file is in there.
RUN install -d -o node -g node -m 0700 /data
USER node
VOLUME /data
EXPOSE 6066
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s CMD ["node", "-e", \
  "fetch('http://127.0.0.1:' + (process.env.PORT || 6066) + '/health/live').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/server.js"]

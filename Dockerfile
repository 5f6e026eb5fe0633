# JavaScript and declarations of the package.
FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run build

# What it needs at run time: no development tools, no embedded PostgreSQL, no second Node.js.
FROM node:24-bookworm-slim AS dependencies
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional --no-audit

# A project is mounted at, or copied to, /app/project; it finds `spindex` in /app/node_modules.
FROM node:24-bookworm-slim
ENV NODE_ENV=production
# Inside a container the loopback address is reached by nobody.
ENV SPINDEX_HOST=0.0.0.0
# The project may be mounted read-only.
ENV SPINDEX_DUMP_DIR=/var/lib/spindex/dumps
RUN install --directory --owner=node --group=node /var/lib/spindex
WORKDIR /app/project
COPY --from=dependencies /build/node_modules /app/node_modules
COPY --from=build /build/dist /app/node_modules/spindex/dist
COPY package.json LICENSE CHANGELOG.md /app/node_modules/spindex/
USER node
EXPOSE 42080
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/app/node_modules/spindex/dist/cli/bin.js"]
CMD ["start"]

# Headrace in a container: mount headrace.config.* (and what it names) into /gateway, and publish port 8080.

FROM node:26.10.0-alpine AS dependencies
WORKDIR /opt/headrace
COPY package.json package-lock.json .npmrc ./
# The image brings its own Node: the pinned ones are this package's optional dependencies.
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:26.10.0-alpine
COPY --from=dependencies /opt/headrace/node_modules /opt/headrace/node_modules
COPY . /opt/headrace
# A configuration in TypeScript imports 'headrace': found from /gateway through the link. The data folder is made there.
RUN mkdir -p /node_modules /gateway \
  && ln -s /opt/headrace /node_modules/headrace \
  && chown node:node /gateway
USER node
WORKDIR /gateway
# For the public listener alone: the control plane stays on the container's loopback.
ENV HOST=0.0.0.0 PORT=8080
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Small young generation: see docs/architecture.md, "Memory".
CMD ["node", "--max-semi-space-size=4", "/opt/headrace/cli.ts", "serve"]

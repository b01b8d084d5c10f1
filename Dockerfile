# Headrace in a container: mount headrace.config.* (and what it names) into /gateway, and publish port 8080.

FROM node:26.10.0-alpine AS dependencies
WORKDIR /opt/headrace
COPY package.json package-lock.json .npmrc ./
# The image brings its own Node: the pinned ones are this package's optional dependencies.
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:26.10.0-alpine
COPY --from=dependencies /opt/headrace/node_modules /opt/headrace/node_modules
COPY . /opt/headrace
# A configuration in TypeScript imports 'headrace': found from /gateway through the link.
RUN mkdir -p /node_modules /gateway /var/lib/headrace \
  && ln -s /opt/headrace /node_modules/headrace \
  && chown 1000:1000 /var/lib/headrace \
  && chmod 700 /var/lib/headrace
# The image's user `node`, by number: so Kubernetes sees that it is not root.
USER 1000:1000
WORKDIR /gateway
# HOST is for the first listener alone: the control plane stays on the container's loopback.
ENV HOST=0.0.0.0 PORT=8080 HEADRACE_DATA_DIR=/var/lib/headrace
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=3s --start-period=15s --retries=3 \
  CMD node /opt/headrace/deploy/healthcheck.ts "$PORT"
ENTRYPOINT ["node", "/opt/headrace/cli.ts"]
CMD ["serve"]

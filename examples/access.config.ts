import { defineConfig } from 'headrace'

/**
 * Who may call, without anything else: `headrace serve --config examples/access.config.ts`, then
 * `curl -i localhost:8080/orders -H 'x-api-key: hr_example0_0123456789abcdefghijklmnopqr'`, and without it.
 *
 * The key is here for everybody to see: make your own with `headrace key create acme --file consumers.yaml`, and name that
 * file as `access.consumersFile`.
 */
export default defineConfig({
  listen: { port: 8080 },
  access: {
    consumers: {
      acme: {
        keys: [{ id: 'example0', hash: 'sha256:sGG5xmXs4QbX1KF6racN4CIWJZySFm_mFsQtxPMcmLI' }],
        groups: ['partners'],
        scopes: ['orders'],
        tier: 'gold',
      },
    },
  },
  routes: {
    '/orders': { answer: { body: 'orders' }, access: { by: ['key'], scopes: ['orders'] } },
    // Known, and not entitled: 403.
    '/reports': { answer: { body: 'reports' }, access: { by: ['key'], groups: ['staff'] } },
    // From this machine alone, whoever it is.
    '/internal': { answer: { body: 'internal' }, access: { addresses: { allow: ['loopback'] } } },
    '/public': { answer: { body: 'public' }, access: ['key', 'anonymous'] },
  },
})

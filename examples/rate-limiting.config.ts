import { defineConfig } from 'headrace'

/**
 * Rate limits without anything else: `headrace serve --config examples/rate-limiting.config.ts`, then
 * `for i in $(seq 12); do curl -si localhost:8080/search | grep -i -e ^HTTP -e ^ratelimit; done`.
 */
export default defineConfig({
  listen: { port: 8080 },
  rateLimit: {
    // Ten at once, and two a second in the long run; all routes that name it share it.
    clients: { rate: '2/s', burst: 10, by: 'ip' },
    // Each tenant; where the field is missing, each address. It only counts: look at /performance/limits.
    tenants: { rate: '1000/h', by: 'header:x-tenant', dryRun: true },
  },
  routes: {
    '/orders/*': { answer: { body: 'orders' }, rateLimit: ['clients', 'tenants'] },
    // A search costs as much as five orders.
    '/search': { answer: { body: 'found' }, rateLimit: { limit: 'clients', cost: 5 } },
    // For load tools: nothing holds here.
    '/unlimited': { answer: { body: 'ok' }, rateLimit: false },
  },
})

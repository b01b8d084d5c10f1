import { defineConfig, env } from 'headrace'

/** The gateway before the fleet API, as `npm start` runs it. Copied as headrace.config.ts into the folder that you start from, it takes this one's place. */
export default defineConfig({
  listen: [
    { port: 8080 }, // PORT or --port choose another
    { port: env('HTTPS_PORT', 8443), tls: 'development' },
  ],
  // One address shows everything; behind its token, as always.
  admin: { shared: true },
  // Where the command line looks for the token when it is run from the repository.
  dataDir: '../../.headrace',
  drainTimeout: '5s',
  // zstd, Brotli or gzip, as each client likes it: `curl --compressed -i`, and read Content-Encoding.
  compression: true,
  // Three consumers, whose keys `npm start` makes; `headrace key` makes more.
  access: { consumersFile: env('FLEET_CONSUMERS') },
  tiers: {
    gold: { rateLimit: { rate: '6000/min' } },
    silver: { rateLimit: { rate: '600/min', burst: 60 } },
    bronze: { rateLimit: { rate: '60/min', burst: 20 }, quota: { day: 1_000 } },
  },
  upstreams: {
    fleet: {
      targets: [env('FLEET_URL'), env('FLEET_SECOND_URL')],
      health: { path: '/health' },
      openapi: '/openapi.json',
    },
  },
  routes: {
    // What the API says of its answers holds: Cache-Control, ETag, Vary. `curl -i` it twice and read Cache-Status.
    // Whoever has a key is told apart by it, and has the limit of their tier alone; all others share one by address. The answers
    // are the same for all, and may be stored for all.
    '/api/*': {
      to: 'fleet',
      stripPrefix: true,
      cache: true,
      access: { by: ['key', 'anonymous'], public: true },
      rateLimit: { rate: '3000/min', by: 'ip', allowList: ['consumer:*'] },
    },
    // Who did what is for operators: `curl -i` it without a key, with that of reports, and with that of dispatch.
    'GET,HEAD /api/audit-log/*': { to: 'fleet', stripPrefix: true, access: { by: ['key'], groups: ['operators'] } },
    'GET,HEAD /api/audit-log': {
      to: 'fleet',
      rewrite: '/audit-log',
      access: { by: ['key'], groups: ['operators'] },
      docs: false,
    },
    // For load tools: nothing is asked, and nothing is limited.
    '/load/*': { to: 'fleet', stripPrefix: true, cache: true, docs: false },
    // A shorter name for one thing: '/photos/7' asks for '/vehicles/7/photo'.
    'GET,HEAD /photos/:id': {
      to: 'fleet',
      rewrite: '/vehicles/:id/photo',
      // Links from a newsletter ask for the same photo; one that has expired is shown while it is asked for again.
      cache: { ttl: 'long', staleWhileRevalidate: '1h', staleIfError: '1d', tags: ['photos'], ignoreQuery: ['utm_*'] },
    },
    'GET /live': { to: 'fleet', rewrite: '/telematics/stream' },
    // Reading only: a POST to /public/vehicles is answered 405.
    'GET,HEAD /public/vehicles/*': {
      to: 'fleet',
      rewrite: '/vehicles/*',
      docs: false,
      cache: { ttl: 'short', negativeTtl: '10s', tags: ['vehicles'] },
    },
  },
})

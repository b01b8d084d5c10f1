/** The processes that can be measured. Each is started once, for all the scenarios that need it. */
export interface Peer {
  name: string
  /** Below bench/peers/. */
  script: string
  args: readonly string[]
}

const peer = (name: string, script: string, variant?: string): Peer => ({
  name,
  script,
  args: variant === undefined ? [] : ['--variant', variant],
})

/** Proxying only. */
export const proxies = {
  fastifyHttpProxy: peer('fastify-http-proxy', 'fastify-http-proxy.ts'),
  headraceLean: peer('headrace-lean', 'headrace.ts', 'lean'),
  headraceQuiet: peer('headrace-quiet', 'headrace.ts', 'quiet'),
  headrace: peer('headrace', 'headrace.ts', 'defaults'),
  headracePlugin: peer('headrace-plugin', 'headrace-plugin.ts'),
  bareDispatch: peer('bare-dispatch', 'bare-dispatch.ts'),
  nginx: peer('nginx', 'nginx.ts', 'proxy'),
} satisfies Record<string, Peer>

/** Caching. */
export const caches = {
  headraceQuiet: peer('headrace-cache-quiet', 'headrace.ts', 'cache-quiet'),
  headraceEarly: peer('headrace-cache-early', 'headrace.ts', 'cache-early'),
  headrace: peer('headrace-cache', 'headrace.ts', 'cache'),
  nginx: peer('nginx-cache', 'nginx.ts', 'cache'),
  nginxSendfileOff: peer('nginx-cache-sendfile-off', 'nginx.ts', 'cache-sendfile-off'),
  varnish: peer('varnish', 'varnish.ts'),
  bare: peer('bare-hit', 'bare-hit.ts'),
  undici: peer('undici-cache', 'undici-cache.ts', 'as-it-comes'),
  undiciKept: peer('undici-cache-kept', 'undici-cache.ts', 'kept-alive'),
} satisfies Record<string, Peer>

/** Of the one consumer that there is where callers are asked who they are. */
export const ADMITTED_KEY = 'hr_benchmark_0123456789abcdefghijklmnopqr'

/** The same work with and without gates. */
export const admitted = {
  open: proxies.headraceQuiet,
  proxy: peer('headrace-admitted', 'headrace.ts', 'admitted'),
  openCache: caches.headraceQuiet,
  cache: peer('headrace-cache-admitted', 'headrace.ts', 'cache-admitted'),
} satisfies Record<string, Peer>

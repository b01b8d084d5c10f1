import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { test, type Test } from 'tap'
import { buildGateway } from '../../../app.ts'
import { resolveConfig } from '../../../config/resolve.ts'
import { LocalControl } from '../../../services/control/local.ts'
import { accessLog } from '../../../services/log/access-log.ts'
import { PATIENCE } from '../../helper.ts'
import { connectRaw } from '../../raw-client.ts'
import { type Script, startUpstream, type Upstream } from '../../upstream-server.ts'

interface Logged {
  path: string
  status: number
  cache?: string
  code?: string
}

interface Observed {
  upstream: Upstream
  control: LocalControl
  /** Sends a request; the line of the log, and Cache-Status of the answer. */
  send(path: string, options?: { method?: string; fields?: string }): Promise<{ line: Logged; status: string }>
  /** Lines written so far. */
  lines: Logged[]
  /** Resolves once so many lines are written. */
  written(count: number): Promise<void>
  /** Resolves once so many requests have been through the lane's synchronous part. */
  taken(count: number): Promise<void>
  port: number
}

/** The gateway on a socket of the test's own, with the access log in memory. */
async function observed(t: Test, script: Script, cache: object = {}): Promise<Observed> {
  const upstream = await startUpstream(t, script)
  const config = resolveConfig({
    admin: false,
    upstreams: { o: { targets: [upstream.origin] } },
    routes: { '/*': { to: 'o', cache }, '/plain/*': { to: 'o' } },
  })
  const lines: Logged[] = []
  const control = new LocalControl()
  const marks: { list: () => number; count: number; resolve: () => void }[] = []
  const reached = (list: () => number, count: number): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>()
    marks.push({ list, count, resolve })
    check()
    return promise
  }
  const check = (): void => {
    for (const { list, count, resolve } of marks) if (list() >= count) resolve()
  }
  const log = accessLog(
    {
      log: { levelVal: 30 },
      base: '"pid":1',
      lines: {
        write: (line) => {
          lines.push(JSON.parse(line) as Logged)
          check()
        },
      },
    },
    { level: 'info', format: 'json', requests: true, sample: 1, redact: [] },
  )
  const { app, handlers } = await buildGateway(config, {
    log: pino({ level: 'silent' }),
    version: '0',
    control,
    local: control,
    token: '',
    draining: () => false,
    finished: [log],
    sources: [],
  })
  await app.ready()
  let requests = 0
  const server = createServer((request, response) => {
    if (!handlers.request(request, response)) handlers.fallback(request, response)
    requests++
    check()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    server.closeAllConnections()
    server.close()
    await app.close()
  })
  const { port } = server.address() as AddressInfo
  const written = (count: number): Promise<void> => reached(() => lines.length, count)
  return {
    upstream,
    control,
    lines,
    written,
    taken: (count) => reached(() => requests, count),
    port,
    async send(path, { method = 'GET', fields = '' } = {}) {
      const before = lines.length
      const raw = await connectRaw(t, { port })
      const answer = await raw.exchange(
        `${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${fields}\r\n`,
        method,
      )
      await written(before + 1)
      return { line: lines[before] as Logged, status: answer.get('cache-status') ?? '' }
    },
  }
}

const counts = async ({ control }: Observed): Promise<unknown> => {
  const { hits, stale, revalidated, misses, collapsed, passes } = (await control.ask('cache')).result.requests
  return { hits, stale, revalidated, misses, collapsed, passes }
}

void test('the log, the counters and Cache-Status say the same of each request', { timeout: PATIENCE }, async (t) => {
  let broken = false
  const gateway = await observed(t, (exchange) => {
    const { request } = exchange
    if (broken) return exchange.respond(503)
    switch (request.target) {
      case '/fresh':
        return exchange.respond(200, [['Cache-Control', 'max-age=60']])
      case '/validated':
        return request.get('if-none-match') === '"v"'
          ? exchange.respond(304, [['ETag', '"v"']], '')
          : exchange.respond(200, [['Cache-Control', 'max-age=0'], ['ETag', '"v"']]) // biome-ignore format: one answer
      case '/failing':
        return exchange.respond(200, [['Cache-Control', 'max-age=0, stale-if-error=60'], ['ETag', '"f"']]) // biome-ignore format: one answer
      case '/gone':
        return exchange.reset()
      default:
        return exchange.respond(200, [['Cache-Control', 'no-store']])
    }
  })
  const is = async (path: string, result: string, status: RegExp, options?: object): Promise<void> => {
    const sent = await gateway.send(path, options)
    t.equal(sent.line.cache, result, `${path}: ${sent.status}`)
    t.match(sent.status, status)
  }
  await is('/fresh', 'miss', /fwd=uri-miss; .*stored/)
  await is('/fresh', 'hit', /hit; ttl=/)
  await is('/fresh', 'hit', /hit; ttl=/, { method: 'HEAD' })
  await is('/fresh', 'pass', /fwd=method/, { method: 'POST', fields: 'Content-Length: 0\r\n' })
  await is('/validated', 'miss', /fwd=uri-miss/)
  await is('/validated', 'revalidated', /fwd=stale; fwd-status=304/)
  await is('/private', 'miss', /fwd=uri-miss; fwd-status=200$/)
  await is('/private', 'pass', /fwd=/)
  await is('/failing', 'miss', /fwd=uri-miss/)
  await is('/never', 'miss', /^/, { fields: 'Cache-Control: only-if-cached\r\n' })
  await is('/gone', 'miss', /^headrace; fwd=uri-miss$/)
  broken = true
  await is('/failing', 'stale', /fwd=stale; fwd-status=503; ttl=-?\d+/)
  t.strictSame(await counts(gateway), { hits: 2, stale: 1, revalidated: 1, misses: 6, collapsed: 0, passes: 2 })
  const plain = await gateway.send('/plain/x')
  t.notOk('cache' in plain.line, 'a route without a cache has nothing to say')
})

void test('a line says what an upstream’s failure was caused by', { timeout: PATIENCE }, async (t) => {
  const gateway = await observed(t, (exchange) => exchange.reset())
  for (const path of ['/plain/gone', '/gone']) {
    const { line } = await gateway.send(path)
    t.match(line, { outcome: 'reset', code: 'HR_UPSTREAM_RESET', cause: /^(ECONNRESET|UND_ERR_SOCKET)$/ }, path)
  }
})

void test('whoever waits for another’s request has collapsed; who leaves is logged and counted once', {
  timeout: PATIENCE,
}, async (t) => {
  const answer = Promise.withResolvers<void>()
  const gateway = await observed(t, async (exchange) => {
    await answer.promise
    await exchange.respond(200, [['Cache-Control', 'max-age=60']])
  })
  const request = 'GET /one HTTP/1.1\r\nHost: a\r\n\r\n'
  const clients = [await connectRaw(t, gateway), await connectRaw(t, gateway), await connectRaw(t, gateway)]
  for (const [index, client] of clients.entries()) {
    await client.send(request)
    await gateway.taken(index + 1)
    // Before that it is looked for in the second tier, where there is nobody to join.
    await gateway.upstream.received(1)
  }
  clients[2]?.reset()
  await gateway.written(1)
  t.match(gateway.lines, [{ cache: 'collapsed', status: 499, code: 'CLIENT_ABORT' }])
  answer.resolve()
  await gateway.written(3)
  t.strictSame(
    gateway.lines.map(({ cache }) => String(cache)).sort((a, b) => a.localeCompare(b)),
    ['collapsed', 'collapsed', 'miss'],
  )
  t.equal(gateway.upstream.requests.length, 1)
  t.match(await counts(gateway), { misses: 1, collapsed: 2 })
})

import cluster from 'node:cluster'
import { test } from 'tap'
import { resolveConfig } from '../config/resolve.ts'
import { serve } from '../server.ts'
import { connectRaw } from './raw-client.ts'
import { startUpstream } from './upstream-server.ts'
import { until } from './until.ts'

/** Processes are forked and must boot, with others on the machine. */
const PATIENCE_MS = 150_000

void test('a purge reaches every process, and the report adds them up', { timeout: PATIENCE_MS }, async (t) => {
  // Without the test runner's own loaders, which take longer than all the rest.
  cluster.setupPrimary({ execArgv: [] })
  const upstream = await startUpstream(t, (exchange) => exchange.respond(200, [['Cache-Control', 'max-age=600']]))
  const config = resolveConfig(
    {
      listen: { port: 0 },
      admin: { port: 0, token: 'secret', rateLimit: false },
      log: { level: 'silent' },
      processes: 2,
      drainTimeout: '5s',
      upstreams: { origin: { targets: [upstream.origin] } },
      // Each process by itself: what they share is another test's.
      cache: { disk: { enabled: false } },
      routes: { '/*': { to: 'origin', cache: true }, 'PUT /*': { to: 'origin' } },
    },
    { root: t.testdir() },
  )
  const running = await serve(config)
  t.teardown(() => running.close())
  const portOf = (kind: string): number =>
    Number(new URL(running.addresses.find((candidate) => candidate.kind === kind)!.url).port)
  const send = async (method: string, path: string, body?: object) => {
    const raw = await connectRaw(t, { port: portOf(path.startsWith('/performance') ? 'admin' : 'public') })
    const text = body === undefined ? '' : JSON.stringify(body)
    const fields = text === '' ? '' : `Content-Type: application/json\r\nContent-Length: ${text.length}\r\n`
    const answer = await raw.exchange(
      `${method} ${path} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nAuthorization: Bearer secret\r\n${fields}\r\n${text}`,
    )
    return answer.body.toString()
  }
  const plain = async (path: string): Promise<void> => {
    const raw = await connectRaw(t, { port: portOf('public') })
    await raw.exchange(`GET ${path} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n`)
  }
  const change = async (path: string): Promise<void> => {
    const raw = await connectRaw(t, { port: portOf('public') })
    await raw.exchange(`PUT ${path} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)
  }
  const variants = async (): Promise<{ pid: number; hits: number }[]> =>
    JSON.parse(await send('GET', '/performance/cache/entry?url=/a')).variants
  // Whichever process takes a connection: until both have it.
  while ((await variants()).length < 2) await plain('/a')
  t.equal(new Set((await variants()).map(({ pid }) => pid)).size, 2)
  const report = JSON.parse(await send('GET', '/performance/cache'))
  t.match(report, { memory: { entries: 2, maxEntries: 4000 }, requests: { misses: 2, stores: 2 }, missing: [] })
  t.equal(report.top[0].variants, 1)
  t.equal(report.top.length, 1, 'the same key in both')
  t.strictSame(JSON.parse(await send('POST', '/performance/cache/purge', { url: 'http://A.test:80/%61' })), {
    purged: 2,
    processes: 2,
    waiting: 0,
  })
  t.strictSame(await variants(), [])
  const asked = upstream.requests.length
  await plain('/a')
  t.equal(upstream.requests.length, asked + 1)

  // A change that one process sees through, on a route without a cache, is told to the other.
  while ((await variants()).length < 2) await plain('/a')
  await change('/a')
  await until(async () => (await variants()).length === 0)
  t.pass('no process has the old answer any more')
  await running.close()
  await running.closed
})

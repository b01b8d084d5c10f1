import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test, type Test } from 'tap'
import { resolveConfig } from '../../../config/resolve.ts'
import type { Target } from '../../../services/upstream/target.ts'
import { Upstreams } from '../../../services/upstream/upstreams.ts'
import { startUpstream } from '../../upstream-server.ts'

function upstreamsOf(t: Test, input: Record<string, Record<string, unknown>>): Upstreams {
  const upstreams = new Upstreams(resolveConfig({ upstreams: input }, { root: t.testdir() }).upstreams)
  t.teardown(() => upstreams.close())
  return upstreams
}

const targets = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `http://127.0.0.1:${index + 1}`)

void test('a target is full when as many wait as may', (t) => {
  const upstream = upstreamsOf(t, { api: { targets: targets(1), connections: 2, queue: 1 } }).get('api')
  const target = upstream.pick() as Target
  const full = [0, 1, 2, 3, 4].map((inFlight) => {
    target.inFlight = inFlight
    return target.full
  })
  t.strictSame(full, [false, false, false, true, true])
  target.inFlight = 3
  t.match(target.snapshot().connections, { limit: 2, queued: 1 })
  t.end()
})

void test('a snapshot is plain data of every target, in the order of the configuration', async (t) => {
  const upstreams = upstreamsOf(t, {
    api: { targets: ['http://127.0.0.1:1', 'unix:./app.sock'] },
    other: { targets: ['https://example.test'], required: false },
  })
  const told = structuredClone(upstreams.snapshot())
  t.match(told, [
    {
      upstream: 'api',
      target: 'http://127.0.0.1:1',
      required: true,
      state: 'unknown',
      retries: { stale: 0 },
      lastError: null,
    },
    { upstream: 'api', target: /^unix:\/.*app\.sock$/ },
    { upstream: 'other', target: 'https://example.test', required: false },
  ])
})

void test('a name that is none says which there are', (t) => {
  const upstreams = upstreamsOf(t, { api: { targets: targets(1) }, other: { targets: targets(1) } })
  t.throws(() => upstreams.get('apo'), {
    code: 'HR_UPSTREAM_UNKNOWN',
    message: "There is no upstream 'apo'; there are: api, other",
  })
  t.throws(() => upstreamsOf(t, {}).get('x'), { message: "There is no upstream 'x'; there are: none" })
  t.end()
})

void test('a TLS file that cannot be read ends the start with its name', (t) => {
  t.throws(() => upstreamsOf(t, { api: { targets: ['https://example.test'], tls: { ca: './absent.pem' } } }), {
    code: /HR_UPSTREAM_TLS|HR_CONFIG_INVALID/,
    message: /absent\.pem/,
  })
  t.end()
})

void test('targets that come at run time need no TLS file to be there still', (t) => {
  const ca = join(t.testdir({ 'ca.pem': 'a certificate' }), 'ca.pem')
  const config = resolveConfig({ upstreams: { api: { targets: ['https://a.test'], tls: { ca } } } }, { root: '/' })
  const upstreams = new Upstreams(config.upstreams)
  t.teardown(() => upstreams.close())
  rmSync(ca)
  for (const url of ['https://b.test', 'https://c.test']) {
    upstreams.change('api', { url, as: 'present', weight: null })
  }
  t.strictSame(upstreams.list(), [{ name: 'api', targets: ['https://a.test', 'https://b.test', 'https://c.test'] }])
  t.end()
})

void test('the gateway’s own requests go to a target, and are cut when they are called off', async (t) => {
  const upstream = await startUpstream(t, [
    (exchange) => exchange.respond(302, [['Location', '/there']], 'moved'),
    (exchange) => exchange.stall(),
  ])
  const upstreams = upstreamsOf(t, { api: { targets: [upstream.origin] } })
  const answer = await upstreams.request('api', '/openapi.json')
  t.match(answer, { status: 302, location: '/there' })
  answer.body.resume()
  const controller = new AbortController()
  const asked = upstreams.request('api', '/again', controller.signal)
  await upstream.received(2)
  controller.abort()
  await t.rejects(asked, { name: 'AbortError' })
  t.equal(upstream.requests[0]?.start, 'GET /openapi.json HTTP/1.1')
})

void test('closing cuts what is open', async (t) => {
  const upstream = await startUpstream(t, (exchange) => exchange.stall())
  const upstreams = upstreamsOf(t, { api: { targets: [upstream.origin] } })
  const asked = upstreams.request('api', '/')
  await upstream.received(1)
  await upstreams.close()
  await t.rejects(asked)
  await upstream.closed(0)
})

void test('what stays as it is passes to the upstreams that come next, and closes with the last of them', async (t) => {
  const origin = await startUpstream(t, (exchange) => exchange.respond(200, [], 'x'))
  const root = t.testdir({ 'ca.pem': 'one' })
  const resolve = (api: Record<string, unknown>) =>
    resolveConfig(
      {
        upstreams: {
          same: { targets: [origin.origin] },
          api: { targets: ['http://127.0.0.1:1', 'http://127.0.0.1:2'], ...api },
          secure: { targets: ['https://example.test'], tls: { ca: 'ca.pem' } },
        },
      },
      { root },
    ).upstreams
  const first = new Upstreams(resolve({}))
  const told: string[] = []
  first.watch(({ type }) => void told.push(`first: ${type}`))
  await first.start()
  const answered = await first.request('same', '/')
  await text(answered.body)
  // Its connection is free a moment after the end of the answer.
  await new Promise(setImmediate)
  first.get('api').change({ url: 'http://127.0.0.1:2', as: 'absent', weight: null })

  writeFileSync(join(root, 'ca.pem'), 'two')
  const second = new Upstreams(resolve({ timeout: { total: '5s' } }), { previous: first })
  t.teardown(() => second.close())
  second.watch(({ type }) => void told.push(`second: ${type}`))
  await second.start()
  t.equal(second.get('same'), first.get('same'))
  t.not(second.get('api'), first.get('api'), 'its options have changed')
  t.not(second.get('secure'), first.get('secure'), 'a file that it names has changed')
  t.strictSame(second.list()[1], { name: 'api', targets: ['http://127.0.0.1:1'] }, 'what was said of targets holds')
  const third = new Upstreams(resolve({ targets: ['http://127.0.0.1:2'] }), { previous: second })
  t.strictSame(
    third.list()[1],
    { name: 'api', targets: ['http://127.0.0.1:2'] },
    'the configuration says something else',
  )
  await third.close()

  told.length = 0
  second.get('same').change({ url: 'http://127.0.0.1:3', as: 'present', weight: null })
  t.strictSame(told, ['second: targets'], 'the last that was started hears of it')
  second.get('same').change({ url: 'http://127.0.0.1:3', as: 'absent', weight: null })
  await first.close()
  await first.close()
  const again = await second.request('same', '/')
  await text(again.body)
  t.equal(origin.connections.length, 1, 'its connection was not closed')
  await second.close()
  await origin.closed(0)
})

import { test, type Test } from 'tap'
import { resolveConfig } from '../../../config/resolve.ts'
import { Upstreams } from '../../../services/upstream/upstreams.ts'
import { startUpstream } from '../../upstream-server.ts'

function upstreamsOf(t: Test, input: Record<string, Record<string, unknown>>): Upstreams {
  const upstreams = new Upstreams(resolveConfig({ upstreams: input }, { root: t.testdir() }).upstreams)
  t.teardown(() => upstreams.close())
  return upstreams
}

const targets = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `http://127.0.0.1:${index + 1}`)

void test('targets take turns while they are equally busy', (t) => {
  for (const count of [1, 2, 3, 5]) {
    const upstream = upstreamsOf(t, { api: { targets: targets(count) } }).get('api')
    const picks = new Map(upstream.targets.map((target) => [target.url, 0]))
    for (let turn = 0; turn < count * 20; turn++) {
      const { url } = upstream.pick()
      picks.set(url, (picks.get(url) ?? 0) + 1)
    }
    t.strictSame([...new Set(picks.values())], [20], `${count} targets`)
  }
  t.end()
})

void test('requests in flight spread evenly, and a target that is slow gets fewer', (t) => {
  const upstream = upstreamsOf(t, { api: { targets: targets(4) } }).get('api')
  for (let turn = 0; turn < 400; turn++) upstream.pick().inFlight++
  const loads = upstream.targets.map(({ inFlight }) => inFlight)
  t.ok(Math.max(...loads) - Math.min(...loads) <= 2, loads.join())
  const [slow] = upstream.targets
  slow!.inFlight = 1_000
  let toSlow = 0
  for (let turn = 0; turn < 400; turn++) if (upstream.pick() === slow) toSlow++
  t.equal(toSlow, 0)
  t.end()
})

void test('a target is full when as many wait as may', (t) => {
  const upstream = upstreamsOf(t, { api: { targets: targets(1), connections: 2, queue: 1 } }).get('api')
  const target = upstream.pick()
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
    { upstream: 'api', target: 'http://127.0.0.1:1', required: true, state: 'unknown', retries: 0, lastError: null },
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

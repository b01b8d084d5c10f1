import { test, type Test } from 'tap'
import { resolveConfig } from '../../../config/resolve.ts'
import { type Running, serve } from '../../../server.ts'
import { connectRaw } from '../../raw-client.ts'
import { freePort, noRedis, startRedis } from '../../redis-server.ts'
import { startUpstream } from '../../upstream-server.ts'
import { get } from '../../wire.ts'
import { until } from '../../until.ts'

/** What is behind the memory of a process: there for the next process, and purged with it. */

const PATIENCE = { timeout: 120_000 }

interface Served {
  get(path: string): Promise<string>
  purge(selector: object): Promise<unknown>
  tiers(): Promise<{ name: string; state: string; queued: number }[]>
  /** Responses in memory. */
  entries(): Promise<number>
  close(): Promise<void>
}

async function served(
  t: Test,
  origin: string,
  options: { root: string; redis?: string; cache?: object },
): Promise<Served> {
  const config = resolveConfig(
    {
      listen: { port: 0 },
      admin: { port: 0, token: 'secret', rateLimit: false },
      log: { level: 'silent' },
      drainTimeout: '1s',
      upstreams: { origin: { targets: [origin] } },
      routes: { '/*': { to: 'origin', cache: true } },
      ...(options.redis !== undefined && { redis: { url: options.redis } }),
      ...(options.cache !== undefined && { cache: options.cache }),
    },
    { root: options.root },
  )
  const running: Running = await serve(config)
  t.teardown(() => running.close())
  const send = async (kind: 'public' | 'admin', request: string): Promise<string> => {
    const { url } = running.addresses.find((address) => address.kind === kind)!
    const raw = await connectRaw(t, { port: Number(new URL(url).port) })
    const answer = await raw.exchange(request)
    return `${get(answer.fields, 'cache-status') ?? ''}\n${answer.body.toString()}`
  }
  const ask = async (method: string, path: string, body = ''): Promise<unknown> => {
    const content = body === '' ? '' : `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`
    const head = `${method} ${path} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nAuthorization: Bearer secret\r\n`
    return JSON.parse((await send('admin', `${head}${content}\r\n${body}`)).split('\n').slice(1).join('\n'))
  }
  const report = async () => (await ask('GET', '/performance/cache')) as Report
  return {
    get: (path) => send('public', `GET ${path} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n`),
    purge: (selector) => ask('POST', '/performance/cache/purge', JSON.stringify(selector)),
    tiers: async () => (await report()).tiers,
    entries: async () => (await report()).memory.entries,
    close: () => running.close(),
  }
}

interface Report {
  tiers: { name: string; state: string; queued: number }[]
  memory: { entries: number }
}

/** Until it says so: tiers open and write behind the requests' backs. */
async function answerWhen<T>(ask: () => Promise<T>, holds: (answer: T) => boolean): Promise<T> {
  let answer = await ask()
  await until(async () => holds(answer) || holds((answer = await ask())))
  return answer
}

const isWritten = ([tier]: { queued: number }[]): boolean => tier!.queued === 0
const isUp = (tiers: { state: string }[]): boolean => tiers.length === 1 && tiers[0]!.state === 'up'

const PATHS = Array.from({ length: 20 }, (_, i) => `/${i}`)

async function anyHit(gateway: Served): Promise<boolean> {
  const answers: string[] = []
  for (const path of PATHS) answers.push(await gateway.get(path))
  return answers.some((answer) => /hit; ttl=\d+\nanswer \d+$/.test(answer))
}

async function survives(t: Test, name: 'disk' | 'redis', redis?: string): Promise<void> {
  const upstream = await startUpstream(t, (exchange) =>
    exchange.respond(200, [['Cache-Control', 'max-age=600']], `answer ${upstream.requests.length}`),
  )
  const where = { root: t.testdir(), ...(redis !== undefined && { redis }) }
  const first = await served(t, upstream.origin, where)
  t.match(await answerWhen(first.tiers, isUp), [{ name }])
  // Several: on a busy machine a read may come too late, which is a miss.
  for (const path of PATHS) t.match(await first.get(path), /fwd=uri-miss.*stored\n/)
  await answerWhen(first.tiers, isWritten)
  await first.close()

  const second = await served(t, upstream.origin, where)
  await answerWhen(second.tiers, isUp)
  t.ok(await anyHit(second), 'another process has what the first has stored')
  t.ok(upstream.requests.length < 2 * PATHS.length)
  await second.purge({ all: true })
  await second.close()

  const third = await served(t, upstream.origin, where)
  await answerWhen(third.tiers, isUp)
  t.notOk(await anyHit(third), 'what was purged is not there for the next one')
}

void test('what is on disk outlives the process, and goes with a purge', PATIENCE, (t) => survives(t, 'disk'))

void test('what is in Redis outlives the process, and goes with a purge', { ...PATIENCE, skip: noRedis }, async (t) => {
  const redis = await startRedis(t)
  await survives(t, 'redis', redis.url)
})

for (const memory of [true, false]) {
  for (const redis of [true, false]) {
    const what = `memory ${memory ? 'on' : 'off'}, Redis ${redis ? 'on' : 'off'}`
    void test(`${what}: a second request is a hit from what there is`, { ...PATIENCE, skip: noRedis }, async (t) => {
      const server = await startRedis(t)
      const upstream = await startUpstream(t, (exchange) =>
        exchange.respond(200, [['Cache-Control', 'max-age=600']], `answer ${upstream.requests.length}`),
      )
      const cache = { memory: { enabled: memory }, redis: { enabled: redis }, disk: { enabled: false } }
      const gateway = await served(t, upstream.origin, { root: t.testdir(), redis: server.url, cache })
      if (redis) await answerWhen(gateway.tiers, isUp)
      for (const path of PATHS) t.match(await gateway.get(path), memory || redis ? /; stored\n/ : /; ttl=\d+\n/)
      if (redis) await answerWhen(gateway.tiers, isWritten)
      t.equal(await anyHit(gateway), memory || redis)
      t.equal(await gateway.entries(), memory ? PATHS.length : 0)
      t.equal((await gateway.tiers()).length, redis ? 1 : 0)
    })
  }
}

void test('a purge while Redis is away is done in memory, and says that it waits', PATIENCE, async (t) => {
  const { origin } = await startUpstream(t, (exchange) => exchange.respond(200, [['Cache-Control', 'max-age=600']]))
  const gateway = await served(t, origin, { root: t.testdir(), redis: `redis://127.0.0.1:${await freePort()}` })
  await gateway.get('/a')
  t.strictSame(await gateway.purge({ url: '/a' }), { purged: 1, processes: 1, waiting: 1 })
})

import fc from 'fast-check'
import { test } from 'tap'
import type { Exchange } from '../../../services/downstream/exchange.ts'
import { accessLog } from '../../../services/log/access-log.ts'
import type { LogOptions } from '../../../services/log/options.ts'
import { makeExchange } from '../downstream/make-exchange.ts'

const INFO = 30
const OPTIONS: LogOptions = { level: 'info', format: 'json', requests: true, sample: 1, redact: [] }

type Logged = Exchange<{ key: string }>

function logger(options: Partial<LogOptions> = {}, levelVal = INFO) {
  const written: string[] = []
  const log = { levelVal }
  const write = accessLog(
    { log, lines: { write: (line) => void written.push(line) }, base: '"pid":7,"hostname":"here"' },
    { ...OPTIONS, ...options },
  )
  return { log, write, written, last: () => JSON.parse(written.at(-1) as string) as Record<string, unknown> }
}

function finished(parts: Partial<Logged> = {}): Logged {
  return Object.assign(makeExchange<{ key: string }>(), { requestId: 'id-1', path: '/', status: 200 }, parts)
}

void test('a line says who asked for what, what the answer was, and by which route', (t) => {
  const { write, last, written } = logger()
  write(
    finished({
      path: '/a',
      query: '?b=1',
      status: 200,
      clientAddress: '192.0.2.1',
      authority: 'gateway.test',
      plan: { key: 'GET /a' },
      upstreamMs: 12.34,
      outcome: 'response',
    }),
  )
  t.match(last(), {
    level: INFO,
    pid: 7,
    hostname: 'here',
    requestId: 'id-1',
    client: '192.0.2.1',
    protocol: '1.1',
    method: 'GET',
    host: 'gateway.test',
    path: '/a?b=1',
    status: 200,
    route: 'GET /a',
    upstreamMs: 12.3,
    msg: 'request',
  })
  for (const name of ['time', 'durationMs']) t.type(last()[name], 'number', name)
  t.notOk('outcome' in last(), 'the usual is not said')
  t.match(written[0], /\n$/)
  t.end()
})

void test('what went wrong is said, at its level', (t) => {
  const { write, last } = logger()
  write(finished({ status: 502, plan: { key: '/*' }, outcome: 'reset', code: 'HR_UPSTREAM_RESET' }))
  t.match(last(), { level: 40, outcome: 'reset', code: 'HR_UPSTREAM_RESET' })
  t.notOk('cause' in last())
  write(finished({ status: 502, outcome: 'connect_error', code: 'HR_UPSTREAM_CONNECT', cause: 'ECONNREFUSED' }))
  t.match(last(), { code: 'HR_UPSTREAM_CONNECT', cause: 'ECONNREFUSED' })
  write(finished({ status: 404, code: 'HR_ROUTE_NOT_FOUND' }))
  t.match(last(), { level: INFO, code: 'HR_ROUTE_NOT_FOUND' })
  t.end()
})

void test('no credential is written: of fields, of the body, of the query', (t) => {
  const canary = 'canary-4711'
  const { write, written } = logger({ redact: ['session.id', 'x*'] })
  const fields = [
    'Host',
    'a',
    'Authorization',
    canary,
    'Cookie',
    canary,
    'Proxy-Authorization',
    canary,
    'X-Api-Key',
    canary,
  ]
  const names = ['token', 'Access_Token', 'api_key', 'APIKEY', 'code', 'key', 'password', 'secret', 'sig', 'signature', 'session.id', 'x*'] // biome-ignore format: a list
  const exchange = Object.assign(makeExchange<{ key: string }>({ fields }), {
    status: 200,
    path: '/login',
    requestId: 'i',
  })
  for (const name of names) {
    for (const query of [`?${name}=${canary}`, `?a=1&${name}=${canary}&b=2`, `?${name}=${canary}&${name}=${canary}`]) {
      exchange.query = query
      write(exchange)
      t.notMatch(written.at(-1), canary, query)
      t.match(written.at(-1), `${name}=[redacted]`, query)
    }
  }
  exchange.query = '?keyword=shown&monkey=shown&sessionXid=shown'
  write(exchange)
  t.match(written.at(-1), /keyword=shown&monkey=shown&sessionXid=shown/, 'names that only contain one are shown')
  t.end()
})

void test('a share of the good is written where that is asked for, and all of the rest', (t) => {
  const draws = [0, 0.09, 0.1, 0.5, 0.99]
  const { write, written } = logger({ sample: 0.1 })
  t.capture(Math, 'random', () => draws.shift() ?? 1)
  for (let i = 0; i < 5; i++) write(finished({ status: 399 }))
  t.equal(written.length, 2)
  for (const status of [400, 404, 500]) write(finished({ status }))
  t.equal(written.length, 5)
  const none = logger({ sample: 0 })
  none.write(finished({ status: 200 }))
  none.write(finished({ status: 503 }))
  t.equal(none.written.length, 1)
  t.end()
})

void test('the level counts as it is now: silent writes nothing, warn the failures alone', (t) => {
  const { log, write, written } = logger()
  const all = (): number => {
    written.length = 0
    for (const status of [200, 404, 500]) write(finished({ status }))
    return written.length
  }
  t.equal(all(), 3)
  log.levelVal = 40
  t.equal(all(), 1)
  log.levelVal = Number.POSITIVE_INFINITY
  t.equal(all(), 0)
  t.end()
})

void test('whatever a client sends, a line is one line of JSON that holds it', (t) => {
  const { write, written, last } = logger()
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (path, requestId) => {
      write(finished({ path, requestId, authority: path, clientAddress: requestId }))
      const line = written.at(-1) as string
      if (line.indexOf('\n') !== line.length - 1) throw new Error('more than one line')
      const told = last()
      if (told['path'] !== path || told['requestId'] !== requestId) throw new Error('not what came')
    }),
  )
  t.end()
})

void test('what the cache made of a request is said where its route has one', (t) => {
  const { write, last } = logger()
  write(finished({ plan: { key: '/a' } }))
  t.notOk('cache' in last())
  for (const cacheResult of ['hit', 'stale', 'revalidated', 'collapsed', 'miss', 'pass'] as const) {
    write(finished({ plan: { key: '/a' }, cacheResult }))
    t.equal(last()['cache'], cacheResult)
  }
  t.end()
})

void test('a key is not written, wherever in the path or the query it stands, and the caller is', (t) => {
  const { write, last, written } = logger()
  const identity = {
    id: 'acme',
    scheme: 'key' as const,
    consumer: 'acme',
    tier: null,
    groups: [],
    scopes: [],
    claims: {},
  }
  const secret = 'canary0123456789abcdefABCDEF'
  const keys = [`hr_k3v9x2ab_${secret}`, `HR%5Fk3v9x2ab%5f${secret}`, `%68%72_k3v9x2a%62_c%61n${secret.slice(3)}`]
  for (const key of keys) {
    for (const query of [`?x=${key}`, `?${key}`, `?a=1&b=${key}&c=2`]) {
      write(finished({ path: '/a', query, plan: { key: '/a' }, identity }))
    }
    t.match(last(), { path: '/a?a=1&b=[redacted]&c=2', consumer: 'acme' })
    for (const path of [`/both/${key}`, `/${key}/x`, `/x;k=${key}`]) {
      for (const query of ['', '?a=1']) write(finished({ path, query, status: 404 }))
    }
    t.match(last(), { path: '/x;k=[redacted]?a=1' })
  }
  t.notMatch(written.join('\n'), /0123456789/)
  write(finished({ path: '/tables/hr_employees_2024', query: '?by=hr_employees_2024' }))
  t.match(last(), { path: '/tables/hr_employees_2024?by=hr_employees_2024' }, 'what only begins like one is none')
  t.end()
})

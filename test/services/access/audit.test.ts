import { test } from 'tap'
import { Audit } from '../../../services/access/audit.ts'
import { identityOf } from '../../../services/access/consumers/directory.ts'
import { AccessCounters } from '../../../services/access/counters.ts'
import { mergeConsumers } from '../../../services/access/report.ts'
import type { Exchange } from '../../../services/downstream/exchange.ts'
import { asking } from './given.ts'

const acme = identityOf(
  {
    name: 'acme',
    keys: [],
    password: null,
    certificates: [],
    groups: [],
    scopes: [],
    tier: null,
    priority: null,
    enabled: true,
  },
  'key',
)

function denied(): Exchange<{ key: string }> {
  const exchange = asking({ fields: ['x-api-key', 'canary', 'cookie', 'canary'], query: '?canary=1' })
  return Object.assign(exchange as Exchange<{ key: string }>, {
    plan: { key: 'GET /a' },
    denied: 'access',
    code: 'HR_ACCESS_FORBIDDEN',
    status: 403,
    requestId: 'id-1',
    identity: acme,
  })
}

void test('a line says who was turned away where and why, and nothing that they have written', (t) => {
  const lines: object[] = []
  const audit = new Audit({ info: (line) => void lines.push(line) }, { enabled: true, perSecond: 10 }, () => 0)
  audit.denied(denied())
  t.strictSame(lines, [
    {
      audit: 'denied',
      route: 'GET /a',
      method: 'GET',
      client: '127.0.0.1',
      consumer: 'acme',
      step: 'access',
      code: 'HR_ACCESS_FORBIDDEN',
      status: 403,
      requestId: 'id-1',
    },
  ])
  t.notMatch(JSON.stringify(lines), 'canary')
  t.end()
})

void test('a flood writes so many lines a second, and the next one says how many were left out', (t) => {
  const lines: { leftOut?: number }[] = []
  let now = 1000
  const audit = new Audit({ info: (line) => void lines.push(line) }, { enabled: true, perSecond: 2 }, () => now)
  for (let i = 0; i < 100; i++) audit.denied(denied())
  t.equal(lines.length, 2)
  now = 2000
  audit.denied(denied())
  t.equal(lines[2]?.leftOut, 98)
  audit.denied(denied())
  t.equal(lines[3]?.leftOut, undefined)
  t.end()
})

void test('what was decided is counted by scheme and reason, and by caller within a bound', (t) => {
  let now = 0
  const counters = new AccessCounters(() => ++now)
  counters.pass(acme)
  counters.pass(acme)
  counters.passNobody()
  counters.deny('access', 'HR_ACCESS_FORBIDDEN', acme)
  counters.deny('limit', 'HR_RATE_LIMITED', undefined)
  const { allowed, denied: reasons } = counters.counts()
  t.match(
    allowed.filter(({ count }) => count > 0),
    [
      { scheme: 'key', count: 2 },
      { scheme: 'anonymous', count: 1 },
    ],
  )
  t.match(reasons, [
    { step: 'access', code: 'HR_ACCESS_FORBIDDEN', count: 1 },
    { step: 'limit', code: 'HR_RATE_LIMITED', count: 1 },
  ])
  t.match(counters.callers(10), [{ id: 'acme', allowed: 2, denied: 1, lastSeenAt: 3 }])
  for (let i = 0; i < 2000; i++) counters.pass({ ...acme, id: `caller ${i}` })
  t.equal(counters.callers(5000).length, 1000)
  t.end()
})

void test('whoever asks most is among the callers, however many others there are, and whenever they come', (t) => {
  const counters = new AccessCounters()
  const pass = (id: string): void => counters.pass({ ...acme, id })
  for (let i = 0; i < 100_000; i++) pass('first')
  for (let i = 0; i < 1_000; i++) pass(`other ${i}`)
  t.match(counters.callers(1), [{ id: 'first', allowed: 100_000 }])
  // A flood of callers that come once each, and between them one that comes again and again, late.
  for (let i = 0; i < 50_000; i++) {
    pass(`once ${i}`)
    if (i >= 10_000 && i % 100 === 0) pass('late')
  }
  t.match(counters.callers(2), [
    { id: 'first', allowed: 100_000 },
    { id: 'late', allowed: 400 },
  ])
  t.notOk('before' in (counters.callers(1)[0] ?? {}))
  t.end()
})

void test('what several processes know of the same consumers becomes one', (t) => {
  const key = { id: 'k', created: null, expires: null, note: null, revoked: false }
  const consumer = { name: 'acme', enabled: true, tier: null, groups: [], scopes: [], ways: ['key' as const] }
  const part = (lastUsed: string | null, allowed: number) => ({
    file: null,
    consumers: [{ ...consumer, keys: [{ ...key, lastUsed }] }],
    callers: [{ id: 'acme', scheme: 'key' as const, allowed, denied: 0, lastSeenAt: allowed }],
  })
  const merged = mergeConsumers([part(null, 1), part('2026-06-01T12:00:00.000Z', 2), part(null, 0)])
  t.equal(merged.consumers[0]?.keys[0]?.lastUsed, '2026-06-01T12:00:00.000Z')
  t.match(merged.callers, [{ id: 'acme', allowed: 3, lastSeenAt: 2 }])
  t.end()
})

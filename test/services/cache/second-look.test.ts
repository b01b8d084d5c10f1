import { test } from 'tap'
import type { CacheExchange } from '../../../services/cache/context.ts'
import { CacheCounters } from '../../../services/cache/counters.ts'
import { SecondLook } from '../../../services/cache/second-look.ts'
import { MemoryStore } from '../../../services/cache/store/memory.ts'
import { PurgeLog } from '../../../services/cache/store/purge-log.ts'
import { FakeTier } from './fake-tier.ts'
import { policy } from './rules/messages.ts'

function looking() {
  const now = () => 0
  const second = new SecondLook({
    store: new MemoryStore({ now }),
    tier: new FakeTier(now),
    purges: new PurgeLog(),
    now,
  })
  const plan = { cache: { policy: policy(), counters: new CacheCounters() } }
  const exchange = { plan, work: undefined } as unknown as CacheExchange
  /** What was told, in order; until something is. */
  const told: string[] = []
  const first = Promise.withResolvers<void>()
  const tell = (what: string): void => {
    told.push(what)
    first.resolve()
  }
  return { second, exchange, told, tell, first: first.promise }
}

void test('who looks is told once, and does other work then', async (t) => {
  const { second, exchange, told, tell, first } = looking()
  const found = () => tell(exchange.work === undefined ? 'found' : 'found at work')
  second.look(exchange, 'key', { found, left: () => tell('left'), broke: () => tell('broke') })
  const { work } = exchange
  await first
  work?.cancel()
  t.strictSame(told, ['found'])
})

void test('who leaves meanwhile is told once, and finds nothing', async (t) => {
  const { second, exchange, told, tell, first } = looking()
  second.look(exchange, 'key', { found: () => tell('found'), left: () => tell('left'), broke: () => tell('broke') })
  exchange.work?.cancel()
  exchange.work?.cancel()
  await first
  await second.find(exchange, 'key')
  t.strictSame(told, ['left'])
})

void test('what fails on what was found is told', async (t) => {
  const { second, exchange, tell, told } = looking()
  const error = new Error('it fails')
  const broken = Promise.withResolvers<unknown>()
  const found = () => {
    tell('found')
    throw error
  }
  second.look(exchange, 'key', { found, left: () => tell('left'), broke: broken.resolve })
  t.equal(await broken.promise, error)
  t.strictSame(told, ['found'])
})

import { mock } from 'node:test'
import { test, type Test } from 'tap'
import { purgeStorage } from '../../../services/cache/storage.ts'
import { MemoryStore } from '../../../services/cache/store/memory.ts'
import { PurgeLog } from '../../../services/cache/store/purge-log.ts'
import type { Selector } from '../../../services/cache/store/selector.ts'
import { FakeTier } from './fake-tier.ts'

const ALL: Selector = { kind: 'all' }

function storageOf(t: Test): { tier: FakeTier; storage: Parameters<typeof purgeStorage>[0] } {
  const tier = new FakeTier(() => 0)
  const store = new MemoryStore({ maxEntries: 10 })
  t.teardown(() => store.close())
  return { tier, storage: { store, tier, purges: new PurgeLog() } }
}

void test('a second tier that is away is told of a purge, and nobody waits for it', async (t) => {
  const { tier, storage } = storageOf(t)
  tier.isAway = true
  t.equal(await purgeStorage(storage, ALL, 'hard'), 0)
  t.strictSame(tier.purges, [{ selector: ALL, mode: 'hard' }])
})

void test('one that does not answer is waited for no longer than a process has for a command', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const { tier, storage } = storageOf(t)
  tier.purge = () => new Promise(() => undefined)
  const purged = purgeStorage(storage, ALL, 'hard')
  mock.timers.tick(2_999)
  t.equal(await purged, 0)
})

import { test } from 'tap'
import { clustered, PATIENCE_MS } from './clustered.ts'

void test('processes share a limit: exact to the last request, leased to 5 %', { timeout: PATIENCE_MS }, async (t) => {
  const { get } = await clustered(t, {
    rateLimit: { exact: { rate: '20/h', mode: 'exact' }, leased: { rate: '100/h', by: 'route', cost: 5 } },
    routes: {
      '/exact': { answer: { body: 'x' }, rateLimit: 'exact' },
      '/leased': { answer: { body: 'x' }, rateLimit: 'leased' },
    },
  })
  const passing = async (path: string, many: number): Promise<number> => {
    let passed = 0
    // Each on a connection of its own: the processes take turns.
    for (let i = 0; i < many; i += 10) {
      const answers = await Promise.all(Array.from({ length: 10 }, () => get(path)))
      passed += answers.filter(({ status }) => status === 200).length
    }
    return passed
  }
  const exact = await passing('/exact', 40)
  const leased = await passing('/leased', 40)
  const { body } = await get('/performance/limits', 'secret')
  const { shared, limits } = JSON.parse(body) as {
    shared: { ledger: string; alone: number }
    limits: { name: string; allowed: number; limited: number }[]
  }
  t.match(shared, { ledger: 'supervisor', ready: true })
  t.equal(limits.find(({ name }) => name === 'exact')?.allowed, exact)
  t.equal(limits.find(({ name }) => name === 'exact')?.limited, 40 - exact)
  // On a busy machine the supervisor may be late, and then a process decides alone.
  if (shared.alone > 0) t.comment(`${shared.alone} decisions were made alone`)
  else {
    t.equal(exact, 20)
    t.ok(leased <= 21 && leased >= 16, `${leased} of 20 passed`)
  }
})

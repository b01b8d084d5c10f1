import { test } from 'tap'
import { clustered, PATIENCE_MS } from './clustered.ts'
import { connectRaw } from './raw-client.ts'

const ASKED = 40

void test('processes share a limit: exact to the last request, leased to 5 %', { timeout: PATIENCE_MS }, async (t) => {
  // Each round has a key of its own, and so a limit of which nothing is used.
  const by = 'header:x-round'
  const { get, port } = await clustered(t, {
    rateLimit: { exact: { rate: '20/h', mode: 'exact', by }, leased: { rate: '100/h', by, cost: 5 } },
    routes: {
      '/exact': { answer: { body: 'x' }, rateLimit: 'exact' },
      '/leased': { answer: { body: 'x' }, rateLimit: 'leased' },
    },
  })
  const ask = async (path: string, round: number): Promise<number> => {
    const raw = await connectRaw(t, { port: port('public') })
    const head = `GET ${path} HTTP/1.1\r\nHost: gateway.test\r\nConnection: close\r\nX-Round: ${round}\r\n\r\n`
    return (await raw.exchange(head)).status
  }
  const passing = async (path: string, round: number): Promise<number> => {
    let passed = 0
    // Each on a connection of its own: the processes take turns.
    for (let i = 0; i < ASKED; i += 10) {
      const statuses = await Promise.all(Array.from({ length: 10 }, () => ask(path, round)))
      passed += statuses.filter((status) => status === 200).length
    }
    return passed
  }
  const seen = async () => {
    const { body } = await get('/performance/limits', 'secret')
    return JSON.parse(body) as {
      shared: { ledger: string; ready: boolean; alone: number }
      limits: { name: string; allowed: number; limited: number }[]
    }
  }
  let allowed = 0
  // On a busy machine the supervisor may be late, and then a process decides alone: of such a round nothing is certain.
  for (let round = 1, alone = 0; ; round++) {
    const [exact, leased] = [await passing('/exact', round), await passing('/leased', round)]
    const { shared, limits } = await seen()
    allowed += exact
    t.match(shared, { ledger: 'supervisor' })
    t.match(
      limits.find(({ name }) => name === 'exact'),
      { allowed, limited: ASKED * round - allowed },
      'what is told of it is what clients have seen',
    )
    if (shared.alone === alone) {
      t.equal(exact, 20)
      t.ok(leased <= 21 && leased >= 16, `${leased} of 20 passed`)
      t.equal(shared.ready, true)
      break
    }
    t.comment(`${shared.alone - alone} decisions of round ${round} were made alone`)
    alone = shared.alone
  }
})

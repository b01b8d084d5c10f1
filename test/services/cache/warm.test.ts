import { test } from 'tap'
import { mergeWarmProgress, Warmer } from '../../../services/cache/warm.ts'
import type { WarmTarget } from '../../../services/cache/warm-target.ts'

const targets = (count: number): WarmTarget[] =>
  Array.from({ length: count }, (_, i) => ({ url: `/${i}`, headers: {} }))

/** Requests that are answered when the test says so. */
function held() {
  const asked: { target: WarmTarget; signal: AbortSignal; answer: (status: number) => void }[] = []
  return {
    asked,
    request: (target: WarmTarget, signal: AbortSignal) =>
      new Promise<number>((answer) => {
        asked.push({ target, signal, answer })
      }),
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

void test('each URL is asked for once, a few at a time', async (t) => {
  const { asked, request } = held()
  const warmer = new Warmer({ request, concurrency: 3, now: () => 5 })
  const same = { url: '/0', headers: {} }
  const over = warmer.start([...targets(5), same, { url: '/0', headers: { 'Accept-Language': 'de' } }])
  for (let answered = 0; answered < 6; answered++) {
    await turn()
    t.equal(asked.length, Math.min(answered + 3, 6), 'three under way')
    asked[answered]?.answer(200)
  }
  t.match(await over, { state: 'done', total: 6, done: 6, failed: 0, startedAt: 5, finishedAt: 5, failures: [] })
  t.same(
    asked.map(({ target: { url } }) => url),
    ['/0', '/1', '/2', '/3', '/4', '/0'],
  )
})

void test('failures are counted, and the first hundred are told', async (t) => {
  const warmer = new Warmer({
    request: async ({ url }) => {
      if (url === '/0') throw new Error('down')
      return url === '/1' ? 200 : 404
    },
  })
  const { failed, failures } = await warmer.start(targets(300))
  t.equal(failed, 299)
  t.equal(failures.length, 100)
  t.same(failures.slice(0, 2), [
    { url: '/0', reason: 'down' },
    { url: '/2', reason: '404' },
  ])
})

void test('a request without an answer is given up after its time', async (t) => {
  const { asked, request } = held()
  const warmer = new Warmer({ request, concurrency: 1, timeoutMs: 1 })
  const { failures } = await warmer.start(targets(1))
  t.same(failures, [{ url: '/0', reason: 'no answer in 1 ms' }])
  t.equal(asked[0]?.signal.aborted, true)
})

void test('a round can be cancelled, and only one runs at a time', async (t) => {
  const { asked, request } = held()
  const warmer = new Warmer({ request, concurrency: 2 })
  t.equal(warmer.progress.state, 'idle')
  t.equal(warmer.cancel(), false)
  const over = warmer.start(targets(10))
  t.throws(() => warmer.start(targets(1)), { code: 'HR_CACHE_WARM_BUSY', statusCode: 409 })
  asked[0]?.answer(200)
  await turn()
  t.match(warmer.progress, { state: 'running', total: 10, done: 1, finishedAt: null })
  t.equal(warmer.cancel(), true)
  t.match(await over, { state: 'cancelled', done: 1, failed: 0 })
  t.equal(asked.length, 3)
  t.ok(asked.slice(1).every(({ signal }) => signal.aborted))
  await t.resolves(warmer.start([]), 'another may begin')
})

void test('a list has a bound', async (t) => {
  const warmer = new Warmer({ request: async () => 200 })
  t.throws(() => warmer.start(targets(10_001)), { code: 'HR_CACHE_WARM_SIZE' })
})

void test('processes are added up: it runs while one does', async (t) => {
  const part = { total: 3, failed: 1, failures: [{ url: '/a', reason: '500' }] }
  const done = { ...part, state: 'done', done: 3, startedAt: 10, finishedAt: 20 } as const
  const running = { ...part, state: 'running', done: 1, startedAt: 5, finishedAt: null } as const
  t.match(mergeWarmProgress([done, running]), {
    state: 'running',
    total: 6,
    done: 4,
    failed: 2,
    startedAt: 5,
    finishedAt: null,
    failures: [{}, {}],
  })
  t.match(mergeWarmProgress([done, done]), { state: 'done', finishedAt: 20 })
  const many = { ...done, failures: Array.from({ length: 80 }, () => ({ url: '/a', reason: '500' })) }
  t.equal(mergeWarmProgress([many, many]).failures.length, 100)
})

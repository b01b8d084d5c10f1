import { mock } from 'node:test'
import { test, type Test } from 'tap'
import { Announcements, type AnnouncementsOptions } from '../../../services/cache/announcements.ts'
import type { Selector } from '../../../services/cache/store/selector.ts'

const url = (path: string): Selector => ({ kind: 'url', url: `https://a.test${path}` })
const tag = (name: string): Selector => ({ kind: 'tag', tag: name })

/** Time stands still unless it is moved. */
function announcing(t: Test, options: Partial<AnnouncementsOptions> = {}) {
  mock.timers.enable({ apis: ['setTimeout', 'setImmediate'] })
  t.teardown(() => mock.timers.reset())
  const sent: Selector[][] = []
  const send = (selectors: Selector[]): Promise<void> => {
    sent.push(selectors)
    return Promise.resolve()
  }
  const failures: unknown[] = []
  const announcements = new Announcements({ send, failed: (error) => failures.push(error), ...options })
  return { announcements, sent, failures, pass: (ms: number) => mock.timers.tick(ms) }
}

void test('what comes in one turn goes in one message, each selector once', (t) => {
  const { announcements, sent, pass } = announcing(t)
  announcements.add([url('/a'), tag('t')])
  announcements.add([url('/b'), url('/a')])
  t.strictSame(sent, [], 'not before the turn is over')
  pass(0)
  t.strictSame(sent, [[url('/a'), tag('t'), url('/b')]])
  pass(100)
  t.equal(sent.length, 1)
  t.end()
})

void test('what follows waits for five milliseconds; the first after a pause does not', (t) => {
  const { announcements, sent, pass } = announcing(t)
  announcements.add([url('/1')])
  pass(0)
  for (const path of ['/2', '/3']) {
    announcements.add([url(path)])
    pass(2)
  }
  t.strictSame(sent, [[url('/1')]])
  pass(1)
  t.strictSame(sent[1], [url('/2'), url('/3')])
  pass(5)
  announcements.add([url('/4')])
  pass(0)
  t.strictSame(sent[2], [url('/4')])
  t.end()
})

void test('a full message leaves at once', (t) => {
  const { announcements, sent } = announcing(t, { most: 2 })
  announcements.add([url('/1')])
  t.equal(sent.length, 0)
  announcements.add([url('/2')])
  t.strictSame(sent, [[url('/1'), url('/2')]])
  t.end()
})

void test('what is waiting at the end is said', (t) => {
  const { announcements, sent } = announcing(t)
  announcements.add([url('/1')])
  announcements.close()
  t.strictSame(sent, [[url('/1')]])
  t.end()
})

void test('messages that fail one after the other are complained of once', async (t) => {
  const results = [false, false, true, false]
  const { announcements, failures, pass } = announcing(t, {
    send: () => (results.shift() === true ? Promise.resolve() : Promise.reject(new Error('away'))),
  })
  const counts: number[] = []
  for (let i = 0; i < 4; i++) {
    announcements.add([url('/1')])
    pass(10)
    await Promise.resolve()
    await Promise.resolve()
    counts.push(failures.length)
  }
  t.strictSame(counts, [1, 1, 1, 2])
})

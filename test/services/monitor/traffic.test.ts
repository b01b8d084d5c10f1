import { test } from 'tap'
import { METHODS, Traffic } from '../../../services/monitor/traffic.ts'

void test('requests are counted by route, method and status', async (t) => {
  const traffic = new Traffic()
  const api = traffic.route('/api/*')
  api.record('GET', 200, 3)
  api.record('GET', 200, 5)
  api.record('POST', 502, 1)
  traffic.route('/other').record('HEAD', 304, 2)

  const [first, second] = traffic.snapshot()
  t.equal(first?.route, '/api/*')
  t.strictSame(first?.requests, [
    { method: 'GET', status: 200, count: 2 },
    { method: 'POST', status: 502, count: 1 },
  ])
  t.equal(first?.duration.count, 3)
  t.strictSame(second?.requests, [{ method: 'HEAD', status: 304, count: 1 }])
})

void test('the same label gives the same counters', async (t) => {
  const traffic = new Traffic()
  t.equal(traffic.route('/a'), traffic.route('/a'))
})

void test('every known method is counted under its own name', async (t) => {
  const traffic = new Traffic()
  for (const method of METHODS) traffic.route('/').record(method, 204, 1)
  t.strictSame(
    traffic.snapshot()[0]?.requests.map(({ method }) => method),
    [...METHODS],
  )
})

void test('methods and statuses that a peer made up do not grow the counters', async (t) => {
  const traffic = new Traffic()
  for (let i = 0; i < 100; i++) traffic.route('/').record(`X-${i}`, 600 + i, 1)
  traffic.route('/').record('get', 0, 1)
  t.strictSame(traffic.snapshot()[0]?.requests, [{ method: 'OTHER', status: 599, count: 101 }])
})

void test('merging adds what processes counted for the same route, method and status', async (t) => {
  const [left, right] = [new Traffic(), new Traffic()]
  left.route('/a').record('GET', 200, 1)
  right.route('/a').record('GET', 200, 2)
  right.route('/a').record('GET', 404, 2)
  right.route('/b').record('GET', 200, 2)

  const before = left.snapshot()
  const merged = Traffic.merge([before, right.snapshot()])
  t.strictSame(
    merged.map(({ route, requests }) => ({ route, requests })),
    [
      {
        route: '/a',
        requests: [
          { method: 'GET', status: 200, count: 2 },
          { method: 'GET', status: 404, count: 1 },
        ],
      },
      { route: '/b', requests: [{ method: 'GET', status: 200, count: 1 }] },
    ],
  )
  t.equal(merged[0]?.duration.count, 3)
  t.strictSame(before, left.snapshot(), 'the merged parts are left as they were')
})

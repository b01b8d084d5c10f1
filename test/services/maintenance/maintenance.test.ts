import { test } from 'tap'
import { Maintenance } from '../../../services/maintenance/maintenance.ts'
import { maintenanceInWords, mergeMaintenance } from '../../../services/maintenance/report.ts'

const OPTIONS = { enabled: false, retryAfterMs: 90_500, allow: [] as string[], ready: true }
const ROUTES = [
  { key: '/a', maintenance: false },
  { key: '/b', maintenance: true },
]

void test('a route is held by itself, or with all others, and nothing costs where nothing is', async (t) => {
  const maintenance = new Maintenance(OPTIONS, ROUTES)
  t.strictSame(
    [maintenance.active, maintenance.holds('/a', '::1'), maintenance.holds('/b', '::1')],
    [true, false, true],
  )
  maintenance.set('/b', false)
  t.equal(maintenance.active, false)
  maintenance.set(null, true)
  t.strictSame([maintenance.active, maintenance.holds('/a', '::1'), maintenance.holds('/b', '::1')], [true, true, true])
  t.strictSame(maintenance.report(), { gateway: true, routes: [], known: ['/a', '/b'] })
  maintenance.set('/gone', true)
  t.strictSame(maintenance.report().routes, [])
})

void test('addresses that are allowed get through', async (t) => {
  const maintenance = new Maintenance({ ...OPTIONS, enabled: true, allow: ['10.0.0.0/8', 'loopback'] }, ROUTES)
  const held = (address: string): boolean => maintenance.holds('/a', address)
  t.strictSame(['10.1.2.3', '127.0.0.1', '::1', '192.0.2.1', ''].map(held), [false, false, false, true, true])
  t.throws(() => new Maintenance({ ...OPTIONS, allow: ['10.0.0.0/99'] }, []), {
    code: 'HR_MAINTENANCE_ALLOW',
    message: /maintenance\.allow has '10\.0\.0\.0\/99'/,
  })
})

void test('the answer says when to try again, in whole seconds', async (t) => {
  const error = new Maintenance(OPTIONS, ROUTES).refusal()
  t.match(error, { code: 'HR_MAINTENANCE', statusCode: 503, fields: ['retry-after', '91'] })
})

void test('what was said holds over a reload, where the configuration says the same as before', async (t) => {
  const first = new Maintenance(OPTIONS, ROUTES)
  first.set('/a', true)
  first.set('/b', false)
  first.set(null, true)
  const same = new Maintenance({ ...OPTIONS, retryAfterMs: 1 }, ROUTES, first)
  t.match(same.report(), { gateway: true, routes: ['/a'] })
  const changed = new Maintenance({ ...OPTIONS, enabled: true }, [{ key: '/a', maintenance: true }], same)
  t.match(changed.report(), { gateway: true, routes: ['/a'] })
  changed.set(null, false)
  const back = new Maintenance(OPTIONS, ROUTES, changed)
  t.strictSame(back.report(), { gateway: false, routes: ['/b'], known: ['/a', '/b'] })
})

void test('of several processes, what one says is told, and in words', async (t) => {
  const merged = mergeMaintenance([
    { gateway: false, routes: ['/a'], known: ['/a', '/b'] },
    { gateway: true, routes: ['/b', '/a'], known: ['/a', '/b'] },
  ])
  t.strictSame(merged, { gateway: true, routes: ['/a', '/b'], known: ['/a', '/b'] })
  t.strictSame(maintenanceInWords(merged), [
    'The gateway is in maintenance',
    'The route /a is in maintenance',
    'The route /b is in maintenance',
  ])
})

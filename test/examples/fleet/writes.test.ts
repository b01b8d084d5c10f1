import { test } from 'tap'
import { Table } from '../../../examples/fleet/data/table.ts'
import { NOW, startApi } from './start-api.ts'

const VAN = { vin: '1FTBW2CM5HKA12345', plate: 'XX-100-YY', type: 'van', make: 'Ford', model: 'Transit', year: 2024 }

void test('a new row has a Location, the ETag that its GET shows, defaults, and an entry in the audit log', async (t) => {
  const api = await startApi(t)
  const made = await api.send('POST', '/vehicles', { ...VAN, depot: 'Graz' }, { 'x-actor': 'user-3' })
  t.equal(made.status, 201)
  t.equal(made.headers.get('location'), '/vehicles/241')
  const got = await api.get('/vehicles/241')
  t.equal(got.headers.get('etag'), made.headers.get('etag'))
  t.equal(got.headers.get('last-modified'), new Date(NOW).toUTCString())
  t.match(await got.json(), { ...VAN, id: 241, status: 'idle', odometerKm: 0, createdAt: new Date(NOW).toISOString() })
  const { items } = (await (await api.get('/audit-log?resource=vehicles&resourceId=241')).json()) as {
    items: unknown[]
  }
  t.match(items, [{ actor: 'user-3', action: 'create' }])
  t.equal(items.length, 1)
})

void test('a change alters what it names and nothing else, and the tags of the row and of its list', async (t) => {
  const api = await startApi(t)
  const before = await api.get('/vehicles/7')
  const listBefore = await api.get('/vehicles?limit=10')
  const row = (await before.json()) as Record<string, unknown>
  const changed = await api.send('PATCH', '/vehicles/7', { odometerKm: 300_000 })
  t.same(await changed.json(), { ...row, odometerKm: 300_000, updatedAt: new Date(NOW).toISOString() })
  t.not(changed.headers.get('etag'), before.headers.get('etag'))
  const list = await api.get('/vehicles?limit=10')
  t.not(list.headers.get('etag'), listBefore.headers.get('etag'))
  t.equal(list.headers.get('last-modified'), new Date(NOW).toUTCString())
})

void test('of two writers that have seen the same row, the second is told to look again', async (t) => {
  const api = await startApi(t)
  const etag = (await api.get('/work-orders/5')).headers.get('etag') ?? ''
  const first = await api.send('PATCH', '/work-orders/5', { status: 'closed' }, { 'if-match': etag })
  t.equal(first.status, 200)
  const second = await api.send('PATCH', '/work-orders/5', { priority: 'urgent' }, { 'if-match': etag })
  t.equal(second.status, 412)
  t.match(await second.json(), { code: 'FLEET_PRECONDITION_FAILED' })
  t.match(await (await api.get('/work-orders/5')).json(), { status: 'closed' })
  const etagNow = first.headers.get('etag') ?? ''
  t.equal((await api.send('PATCH', '/work-orders/5', { priority: 'low' }, { 'if-match': etagNow })).status, 200)
})

void test('a removed row is gone, and its id is not used again', async (t) => {
  const api = await startApi(t)
  const made = await api.send('POST', '/vehicles', { ...VAN, depot: 'Graz' })
  t.equal((await api.send('DELETE', '/vehicles/241', undefined, { 'if-match': '"old"' })).status, 412)
  t.equal((await api.send('DELETE', '/vehicles/241')).status, 204)
  t.equal((await api.send('DELETE', '/vehicles/241')).status, 404)
  t.equal((await api.get('/vehicles/241/photo')).status, 404)
  const next = await api.send('POST', '/vehicles', { ...VAN, depot: 'Graz' })
  t.equal(next.headers.get('location'), '/vehicles/242')
  await made.text()
})

void test('what is written must be valid: fields, types and the rows it points to', async (t) => {
  const api = await startApi(t)
  const times = { startsAt: '2026-07-01T08:00:00Z', endsAt: '2026-07-01T12:00:00Z' }
  const cases: [method: string, path: string, body: unknown, status: number][] = [
    ['POST', '/vehicles', { ...VAN, depot: 'Atlantis' }, 400],
    ['POST', '/vehicles', { ...VAN, depot: 'Graz', wings: 2 }, 400],
    ['POST', '/vehicles', { ...VAN, depot: 'Graz', id: 7 }, 400],
    ['PATCH', '/vehicles/7', {}, 400],
    ['PATCH', '/vehicles/7', { vin: VAN.vin }, 400],
    ['PATCH', '/vehicles/9999', { status: 'idle' }, 404],
    ['POST', '/assignments', { vehicleId: 9999, driverId: 1, purpose: 'delivery', ...times }, 422],
    ['POST', '/assignments', { vehicleId: 1, driverId: 1, purpose: 'delivery', ...times }, 201],
    ['PATCH', '/work-orders/1', { assigneeId: 9999 }, 422],
    ['POST', '/users', { name: 'x' }, 404],
    ['DELETE', '/drivers/1', undefined, 404],
  ]
  for (const [method, path, body, status] of cases) {
    const response = await api.send(method, path, body)
    t.equal(response.status, status, `${method} ${path} ${JSON.stringify(body)}`)
    t.match(await response.json(), status < 400 ? { id: 421 } : { status })
  }
})

void test('a full table refuses rows, a full log lets its oldest go', (t) => {
  const row = { id: 1, createdAt: '2026-01-01T00:00:00Z', updatedAt: '2026-01-01T00:00:00Z' }
  const refusing = new Table('fuel', [row], { capacity: 1 })
  t.throws(() => refusing.insert({}, NOW), { code: 'FLEET_TABLE_FULL', statusCode: 507 })
  const log = new Table('audit-log', [row], { capacity: 1, whenFull: 'evict' })
  log.insert({}, NOW)
  t.same(
    log.rows().map(({ id }) => id),
    [2],
  )
  t.end()
})

import { test } from 'tap'
import { startApi } from './start-api.ts'

interface Row {
  id: number
  [field: string]: unknown
}
interface Page {
  items: Row[]
  total: number
  after: string | null
}

const page = async (response: Response): Promise<Page> => (await response.json()) as Page

const COLLECTIONS = [
  'vehicles',
  'drivers',
  'users',
  'maintenance',
  'fuel',
  'assignments',
  'work-orders',
  'telematics',
  'inspections',
  'documents',
  'alerts',
  'audit-log',
]

void test('every collection serves lists and rows with a strong ETag, Last-Modified and a cache policy', async (t) => {
  const api = await startApi(t)
  let rows = 0
  for (const name of COLLECTIONS) {
    const list = await api.get(`/${name}?limit=2`)
    const { items, total } = await page(list)
    rows += total
    const row = await api.get(`/${name}/${items[0]?.id}`)
    t.same(await row.json(), items[0], name)
    for (const response of [list, row]) {
      t.equal(response.status, 200)
      t.match(response.headers.get('etag'), /^"[\w-]{22}"$/)
      t.ok(response.headers.get('cache-control'))
      t.ok(Date.parse(response.headers.get('last-modified') ?? '') < Date.now())
      t.match(response.headers.get('surrogate-key'), name)
    }
  }
  t.ok(rows > 3000)
})

void test('the same seed gives the same bytes and tags in every run', async (t) => {
  const [one, two] = await Promise.all([startApi(t), startApi(t)])
  for (const path of ['/vehicles?limit=200', '/fuel?limit=200&sort=-totalCents', '/vehicles/9/photo', '/audit-log']) {
    const [a, b] = await Promise.all([one.get(path), two.get(path)])
    t.equal(a.headers.get('etag'), b.headers.get('etag'), path)
    t.same(Buffer.from(await a.arrayBuffer()), Buffer.from(await b.arrayBuffer()))
  }
})

void test('a list in pages is the whole list, each row once, in every order', async (t) => {
  const api = await startApi(t)
  for (const order of ['', '&sort=make', '&sort=-odometerKm', '&sort=depot&status=active']) {
    const whole = await page(await api.get(`/vehicles?limit=200${order}`))
    const seen: number[] = []
    let url: URL | undefined = new URL(`${api.url}/vehicles?limit=37${order}`)
    while (url) {
      const response: Response = await fetch(url)
      seen.push(...(await page(response)).items.map(({ id }) => id))
      const next = /^<([^>]+)>; rel="next"$/.exec(response.headers.get('link') ?? '')
      // As a client does: the target is relative to the address asked.
      url = next?.[1] === undefined ? undefined : new URL(next[1], url)
    }
    t.equal(seen.length, whole.total, order)
    t.equal(new Set(seen).size, whole.total)
    t.same(
      seen.slice(0, whole.items.length),
      whole.items.map(({ id }) => id),
    )
  }
})

void test('vehicles are filtered, searched and sorted', async (t) => {
  const api = await startApi(t)
  const { items } = await page(await api.get('/vehicles?status=active&fuelType=electric&sort=-year&limit=200'))
  t.ok(items.length > 3)
  t.ok(items.every((row) => row['status'] === 'active' && row['fuelType'] === 'electric'))
  const years = items.map((row) => Number(row['year']))
  t.same(
    years,
    years.toSorted((a, b) => b - a),
  )
  const found = await page(await api.get('/vehicles?q=transit&limit=200'))
  t.ok(found.total > 0 && found.items.every((row) => row['model'] === 'Transit'))
})

void test('a condition that holds saves the body, one that fails stops the request', async (t) => {
  const api = await startApi(t)
  for (const path of ['/vehicles/7', '/vehicles?limit=5', '/vehicles/7/photo']) {
    const first = await api.get(path)
    const etag = first.headers.get('etag') ?? ''
    const modified = first.headers.get('last-modified') ?? ''
    for (const condition of [`"x", ${etag}`, `W/${etag}`, '*']) {
      const again = await api.get(path, { 'if-none-match': condition })
      t.equal(again.status, 304, condition)
      t.equal(again.headers.get('etag'), etag)
      t.equal(again.headers.get('cache-control'), first.headers.get('cache-control'))
      t.equal(await again.text(), '')
    }
    t.equal((await api.get(path, { 'if-modified-since': modified })).status, 304)
    t.equal((await api.get(path, { 'if-none-match': '"x"', 'if-modified-since': modified })).status, 200)
    t.equal((await api.get(path, { 'if-match': '"x"' })).status, 412)
    t.equal((await api.get(path, { 'if-match': `W/${etag}` })).status, 412, 'a weak tag never matches strongly')
    t.equal((await api.get(path, { 'if-unmodified-since': 'Thu, 01 Jan 2015 00:00:00 GMT' })).status, 412)
    t.equal((await api.get(path, { 'if-match': etag })).status, 200)
  }
})

void test('HEAD says what GET would send', async (t) => {
  const api = await startApi(t)
  for (const path of ['/vehicles/7', '/vehicles?limit=5', '/vehicles/7/photo']) {
    const get = await api.get(path)
    const head = await fetch(`${api.url}${path}`, { method: 'HEAD' })
    for (const field of ['etag', 'content-length', 'content-type', 'last-modified', 'link']) {
      t.equal(head.headers.get(field), get.headers.get(field), `${path} ${field}`)
    }
    const unmodified = await fetch(`${api.url}${path}`, { method: 'HEAD', headers: { 'if-none-match': '*' } })
    t.equal(unmodified.status, 304)
    t.equal(unmodified.headers.get('content-length'), get.headers.get('content-length'))
    await get.arrayBuffer()
  }
})

void test('what cannot be answered is a problem document', async (t) => {
  const api = await startApi(t)
  const cases: [path: string, status: number, code: string][] = [
    ['/vehicles/999999', 404, 'FLEET_ROW_NOT_FOUND'],
    ['/vehicles/999999/photo', 404, 'FLEET_ROW_NOT_FOUND'],
    ['/nowhere', 404, 'FLEET_PATH_NOT_FOUND'],
    ['/vehicles/seven', 400, 'FST_ERR_VALIDATION'],
    ['/vehicles?limit=0', 400, 'FST_ERR_VALIDATION'],
    ['/vehicles?sort=vin', 400, 'FST_ERR_VALIDATION'],
    ['/vehicles?status=flying', 400, 'FST_ERR_VALIDATION'],
    ['/vehicles?after=-1', 400, 'FLEET_CURSOR_INVALID'],
    ['/vehicles?sort=year&after=3', 400, 'FLEET_CURSOR_INVALID'],
    ['/vehicles?sort=year&after=WyJtYWtlIiwiRm9yZCIsM10', 400, 'FLEET_CURSOR_INVALID'],
    ['/reports/utilisation?delay=60000', 400, 'FST_ERR_VALIDATION'],
    ['/exports/telematics.csv?rows=0', 400, 'FST_ERR_VALIDATION'],
    ['/chaos/503', 503, 'FLEET_CHAOS'],
  ]
  for (const [path, status, code] of cases) {
    const response = await api.get(path)
    t.equal(response.status, status, path)
    t.match(response.headers.get('content-type'), /^application\/problem\+json/)
    t.match(await response.json(), { type: 'about:blank', status, code })
  }
})

void test('a photo shows the type and colour of its vehicle, and is a small JPEG', async (t) => {
  const api = await startApi(t)
  const { items } = await page(await api.get('/vehicles?limit=200'))
  const pictures = new Map<string, string>()
  for (const { id, type, colour } of items.slice(0, 60)) {
    const response = await api.get(`/vehicles/${id}/photo`)
    const bytes = Buffer.from(await response.arrayBuffer())
    t.equal(response.headers.get('content-type'), 'image/jpeg')
    t.equal(bytes.readUInt16BE(0), 0xffd8)
    t.ok(bytes.length < 12 * 1024)
    const kind = `${String(type)} ${String(colour)}`
    const etag = response.headers.get('etag') ?? ''
    t.equal(pictures.get(kind) ?? etag, etag, kind)
    pictures.set(kind, etag)
  }
  t.equal(new Set(pictures.values()).size, pictures.size)
})

void test('its OpenAPI 3.1 document describes every operation under a name of its own', async (t) => {
  const api = await startApi(t)
  const document = (await (await api.get('/openapi.json')).json()) as {
    openapi: string
    paths: Record<string, Record<string, { operationId: string; summary: string }>>
    components: { schemas: Record<string, unknown> }
  }
  t.equal(document.openapi, '3.1.0')
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path))
  t.ok(operations.length > 35)
  t.ok(operations.every(({ operationId, summary }) => operationId && summary))
  t.equal(new Set(operations.map(({ operationId }) => operationId)).size, operations.length)
  for (const [, name = ''] of JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
    t.ok(name in document.components.schemas, name)
  }
})

import { test } from 'tap'
import { buildDocument } from '../../../services/openapi/build.ts'
import type { RequestUpstream } from '../../../services/openapi/source.ts'
import { resolveRoute } from '../../../services/routing/options.ts'

const gateway = { openapi: '3.1.0', info: { title: 'Headrace', version: '0.1.0' }, paths: {} }
const route = (key: string, to: string) =>
  resolveRoute(key, {
    to,
    stripPrefix: true,
    encodedSlash: 'opaque',
    cache: false,
    mock: false,
    maintenance: false,
    docs: true,
    websocket: true,
  })
const upstream = (name: string, openapi: string | null = '/openapi.json') => ({ name, targets: [], openapi })

/** Serves one specification for each upstream named; others refuse the connection. */
function serving(specifications: Record<string, object>): RequestUpstream {
  return async (name) => {
    const specification = specifications[name]
    if (specification === undefined) throw new Error('connect ECONNREFUSED')
    return {
      status: 200,
      body: (async function* () {
        yield Buffer.from(JSON.stringify(specification))
      })(),
    }
  }
}

const fleet = {
  openapi: '3.1.0',
  info: { title: 'Fleet API', version: '2.4.0', description: 'Vehicles | drivers' },
  paths: { '/vehicles': { get: { responses: {} } } },
}

void test('a gateway before one service is named after it', async (t) => {
  const { document, warnings } = await buildDocument({
    gateway,
    upstreams: [upstream('fleet')],
    routes: [route('/api/*', 'fleet')],
    request: serving({ fleet }),
  })
  t.match(document, { info: { title: 'Fleet API', version: '2.4.0', description: /^Vehicles/ } })
  t.match(document['info'], { description: /\| \*\*Fleet API\*\* \(`fleet`\) \| 2\.4\.0 \| `\/api\/\*` \|/ })
  t.match(document['paths'], { '/api/vehicles': {} })
  t.same(warnings, [])
})

void test('what cannot be had is said in the document and in a warning, and the rest is there', async (t) => {
  const { document, warnings } = await buildDocument({
    gateway,
    upstreams: [upstream('fleet'), upstream('orders'), upstream('photos', null)],
    routes: [route('/api/*', 'fleet'), route('/orders/*', 'orders'), route('/photos/*', 'photos')],
    related: { title: 'The control plane', url: 'http://127.0.0.1:9090/docs' },
    request: serving({ fleet }),
  })
  t.match(document, {
    info: { title: 'Headrace', description: /specification of `orders` is not available/ },
    externalDocs: { url: 'http://127.0.0.1:9090/docs' },
  })
  t.match(document['info'], { description: /`photos`/ })
  t.match(document['paths'], { '/api/vehicles': {} })
  t.match(warnings, [{ code: 'HR_OPENAPI_UNAVAILABLE', upstream: 'orders', message: /ECONNREFUSED/ }])
})

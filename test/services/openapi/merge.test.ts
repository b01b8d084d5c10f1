import { test } from 'tap'
import type { JsonObject, UpstreamSpecification } from '../../../services/openapi/document.ts'
import { merge, type MergeResult } from '../../../services/openapi/merge.ts'
import { resolveRoute, type RouteOptions } from '../../../services/routing/options.ts'
import { violations } from './invariants.ts'

const gateway: JsonObject = { openapi: '3.1.0', info: { title: 'Gateway', version: '1' }, paths: {} }
const ok = { 200: { description: 'ok' } }

function route(key: string, to = 'fleet', options: Partial<RouteOptions> = {}): RouteOptions {
  return {
    ...resolveRoute(key, {
      to,
      stripPrefix: false,
      encodedSlash: 'opaque',
      cache: false,
      mock: false,
      maintenance: false,
      docs: true,
      websocket: true,
    }),
    ...options,
  }
}

function specification(document: JsonObject, upstream = 'fleet'): UpstreamSpecification {
  const complete = { openapi: '3.1.0', info: { title: upstream, version: '1' }, ...document }
  return { upstream, document: complete, base: '/openapi.json', targets: ['http://127.0.0.1:4001'] }
}

function merged(specifications: UpstreamSpecification[], routes: RouteOptions[], own = gateway): MergeResult {
  return merge({ gateway: own, specifications, routes })
}

const at = (node: unknown, ...path: string[]): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], node)
const keysAt = (node: unknown, ...path: string[]): string[] => Object.keys(at(node, ...path) as JsonObject)
const operationsOf = ({ document }: MergeResult): string[] =>
  Object.entries(document['paths'] as JsonObject).flatMap(([path, item]) =>
    Object.keys(item as JsonObject).map((method) => `${method} ${path}`),
  )

const vehicles: JsonObject = {
  paths: {
    '/vehicles': { get: { operationId: 'list', responses: ok }, post: { responses: ok } },
    '/vehicles/{id}': { get: { operationId: 'one', responses: ok }, delete: { responses: ok } },
  },
}

void test('a stripped prefix is put before the paths of the upstream', (t) => {
  const result = merged([specification(vehicles)], [route('/api/*', 'fleet', { stripPrefix: true })])
  t.same(operationsOf(result), [
    'get /api/vehicles',
    'post /api/vehicles',
    'get /api/vehicles/{id}',
    'delete /api/vehicles/{id}',
  ])
  t.equal(at(result.document, 'paths', '/api/vehicles', 'get', 'x-headrace-upstream'), 'fleet')
  t.same(violations(result.document), [])
  t.end()
})

void test('a rewrite is undone, and only the methods of the route are shown', (t) => {
  const document = { paths: { '/api/vehicles/{vehicleId}': { get: { responses: ok }, delete: { responses: ok } } } }
  const result = merged(
    [specification(document)],
    [route('GET /vehicles/:id', 'fleet', { rewrite: '/api/vehicles/:id' })],
  )
  t.same(operationsOf(result), ['get /vehicles/{vehicleId}'])
  t.same(at(result.document, 'paths', '/vehicles/{vehicleId}', 'get', 'parameters', '0', 'name'), 'vehicleId')
  t.end()
})

void test('a rewrite that fixes a parameter shows the operation without it', (t) => {
  const result = merged([specification(vehicles)], [route('GET /flagship', 'fleet', { rewrite: '/vehicles/7' })])
  t.same(operationsOf(result), ['get /flagship'])
  t.equal(at(result.document, 'paths', '/flagship', 'get', 'parameters'), undefined)
  t.end()
})

void test('parameters of the public path that the upstream never sees are documented', (t) => {
  const result = merged([specification(vehicles)], [route('GET /:tenant/vehicles', 'fleet', { rewrite: '/vehicles' })])
  t.same(at(result.document, 'paths', '/{tenant}/vehicles', 'get', 'parameters'), [
    { name: 'tenant', in: 'path', required: true, schema: { type: 'string' } },
  ])
  t.end()
})

void test('an operation that a more specific route sends elsewhere or hides is not shown under the general one', (t) => {
  const result = merged(
    [specification(vehicles)],
    [route('/*'), route('GET /vehicles/:id', 'other'), route('POST /vehicles', 'fleet', { docs: false })],
  )
  t.same(operationsOf(result), ['get /vehicles', 'delete /vehicles/{id}'])
  t.end()
})

void test('an operation that two routes expose is shown at both places, with an operationId of its own', (t) => {
  const result = merged([specification(vehicles)], [route('/*'), route('GET /v2/*', 'fleet', { rewrite: '/*' })])
  t.equal(at(result.document, 'paths', '/vehicles', 'get', 'operationId'), 'list')
  t.equal(at(result.document, 'paths', '/v2/vehicles', 'get', 'operationId'), 'fleet.list')
  t.same(violations(result.document), [])
  t.end()
})

void test("the gateway's own paths are shown once and as its own", (t) => {
  const own = { ...gateway, paths: { '/health': { get: { summary: 'mine', responses: ok } } } }
  const document = { paths: { '/health': { get: { responses: ok } }, '/docs/x': { get: { responses: ok } } } }
  const { document: result } = merge({
    gateway: own,
    specifications: [specification(document)],
    routes: [route('/*')],
    reserved: ['/docs/*'],
  })
  t.same(Object.keys(result['paths'] as JsonObject), ['/health'])
  t.equal(at(result, 'paths', '/health', 'get', 'summary'), 'mine')
  t.end()
})

void test('routes of one host carry it as a server, those of a domain as a variable', (t) => {
  const result = merged([specification(vehicles)], [route('GET a.example.com/vehicles'), route('*.example.org/v/*')])
  t.same(at(result.document, 'paths', '/vehicles', 'get', 'servers'), [{ url: '//a.example.com' }])
  const domain = merged([specification(vehicles)], [route('GET *.example.org/*')])
  t.match(at(domain.document, 'paths', '/vehicles', 'get', 'servers'), [
    { url: '//{subdomain}.example.org', variables: { subdomain: { default: 'www' } } },
  ])
  t.end()
})

void test('one operation on two hosts is shown once with both; two of different upstreams are contested', (t) => {
  const twice = merged([specification(vehicles)], [route('GET a.example/vehicles'), route('GET b.example/vehicles')])
  t.same(at(twice.document, 'paths', '/vehicles', 'get', 'servers'), [{ url: '//a.example' }, { url: '//b.example' }])
  t.same(twice.warnings, [])
  const contested = merged(
    [specification(vehicles), specification(vehicles, 'other')],
    [route('GET a.example/vehicles'), route('GET b.example/vehicles', 'other')],
  )
  t.same(operationsOf(contested), ['get /vehicles'])
  t.match(contested.warnings, [{ code: 'HR_OPENAPI_OPERATION_CONTESTED', upstream: 'other' }])
  t.end()
})

void test('base paths of servers are part of what the upstream is sent', (t) => {
  const servers = [
    { url: 'https://api.example.com/prod' },
    { url: 'http://127.0.0.1:4001/v{n}', variables: { n: { default: '1' } } },
  ]
  const result = merged(
    [specification({ ...vehicles, servers })],
    [route('GET /api/*', 'fleet', { stripPrefix: true })],
  )
  t.same(operationsOf(result), ['get /api/v1/vehicles', 'get /api/v1/vehicles/{id}'])
  const one = merged([specification({ ...vehicles, servers: [{ url: './v2' }] })], [route('GET /v2/vehicles')])
  t.same(operationsOf(one), ['get /v2/vehicles'])
  t.equal(at(one.document, 'paths', '/v2/vehicles', 'get', 'servers'), undefined)
  t.end()
})

void test('components of one name in two upstreams get the names of their upstreams, everywhere', (t) => {
  const animals = (extra: JsonObject): JsonObject => ({
    paths: {
      '/pets': {
        get: {
          responses: { 200: { description: '', content: { a: { schema: { $ref: '#/components/schemas/Pet' } } } } },
        },
      },
    },
    components: {
      schemas: {
        Pet: {
          discriminator: { propertyName: 'kind', mapping: { cat: 'Cat' } },
          oneOf: [{ $ref: '#/components/schemas/Cat' }, { $ref: '#/components/schemas/Dog' }],
        },
        Cat: { type: 'object', properties: { $ref: { type: 'string' } }, example: { $ref: '#/not/a/reference' } },
        Dog: { type: 'object', ...extra },
        Unused: { type: 'string' },
      },
    },
  })
  const result = merged(
    [specification(animals({}), 'a'), specification(animals({ title: 'other' }), 'b')],
    [route('/a/*', 'a', { stripPrefix: true }), route('/b/*', 'b', { stripPrefix: true })],
  )
  t.same(violations(result.document), [])
  t.same(keysAt(result.document, 'components', 'schemas'), ['a.Pet', 'a.Cat', 'a.Dog', 'b.Pet', 'b.Cat', 'b.Dog'])
  t.same(
    at(result.document, 'components', 'schemas', 'b.Pet', 'discriminator', 'mapping'),
    { cat: '#/components/schemas/b.Cat', Dog: '#/components/schemas/b.Dog' },
    'a value that was the name of a schema is mapped to where the schema is now',
  )
  t.same(at(result.document, 'components', 'schemas', 'b.Cat', 'example'), { $ref: '#/not/a/reference' })
  t.end()
})

void test('the heirs of a schema with a discriminator come along, though nothing refers to them', (t) => {
  const document: JsonObject = {
    paths: {
      '/p': {
        get: {
          responses: { 200: { description: '', content: { a: { schema: { $ref: '#/components/schemas/Base' } } } } },
        },
      },
    },
    components: {
      schemas: {
        Base: { type: 'object', discriminator: { propertyName: 'kind' } },
        Heir: { allOf: [{ $ref: '#/components/schemas/Base' }, { type: 'object' }] },
      },
    },
  }
  const own = {
    ...gateway,
    paths: {
      '/own': {
        get: {
          responses: { 200: { description: '', content: { a: { schema: { $ref: '#/components/schemas/Heir' } } } } },
        },
      },
    },
    components: { schemas: { Heir: { type: 'string' } } },
  }
  const result = merged([specification(document)], [route('/*')], own)
  t.same(keysAt(result.document, 'components', 'schemas'), ['Base', 'fleet.Heir', 'Heir'])
  t.same(at(result.document, 'components', 'schemas', 'Base', 'discriminator', 'mapping'), {
    Heir: '#/components/schemas/fleet.Heir',
  })
  t.end()
})

void test('references out of the document are dropped with a warning, and the rest stands', (t) => {
  const document: JsonObject = {
    paths: {
      '/x/{id}': {
        parameters: [{ $ref: 'https://example.com/p.json' }, { $ref: '#/components/parameters/Alias' }],
        get: {
          requestBody: { $ref: 'bodies.yaml#/X' },
          responses: {
            200: { description: '', content: { a: { schema: { type: 'array', items: { $ref: './vehicle.json' } } } } },
            404: { $ref: '#/components/responses/Nowhere' },
          },
        },
      },
    },
    components: {
      parameters: {
        Alias: { $ref: '#/components/parameters/Id' },
        Id: { name: 'id', in: 'path', schema: { type: 'integer' } },
      },
    },
  }
  const result = merged([specification(document)], [route('/*')])
  const operation = at(result.document, 'paths', '/x/{id}', 'get')
  t.same(at(operation, 'parameters'), [{ name: 'id', in: 'path', required: true, schema: { type: 'integer' } }])
  t.equal(at(operation, 'requestBody'), undefined)
  t.same(at(operation, 'responses', '200', 'content', 'a', 'schema'), { type: 'array', items: {} })
  t.same(at(operation, 'responses', '404'), { description: '' })
  t.equal(result.warnings.filter(({ code }) => code === 'HR_OPENAPI_REFERENCE_UNRESOLVED').length, 4)
  t.end()
})

void test('references to anchors, ids, paths and inner parts become components', (t) => {
  const response = (schema: JsonObject): JsonObject => ({ 200: { description: '', content: { a: { schema } } } })
  const document: JsonObject = {
    paths: {
      '/a': { get: { responses: response({ $ref: '#place' }) } },
      '/b': { get: { responses: response({ $ref: '#/paths/~1a/get/responses/200/content/a/schema' }) } },
      '/c': { get: { responses: response({ $ref: '#/components/schemas/Box/properties/size' }) } },
      '/d': { get: { responses: { 200: { $ref: '#/paths/~1c/get/responses/200' } } } },
      '/e': { get: { responses: response({ $ref: 'https://example.com/point' }) } },
      '/f': { $ref: '#/paths/~1a' },
    },
    components: {
      schemas: {
        Place: { $anchor: 'place', type: 'string' },
        Box: { properties: { size: { type: 'integer' } } },
        Point: { $id: 'https://example.com/point', $ref: '#/$defs/pair', $defs: { pair: { type: 'array' } } },
      },
    },
  }
  const result = merged([specification(document)], [route('/*')])
  t.same(result.warnings, [])
  t.same(violations(result.document), [])
  t.equal(operationsOf(result).length, 6)
  t.same(at(result.document, 'components', 'schemas', 'Box.properties.size'), { type: 'integer' })
  t.end()
})

void test('security holds as the upstream states it, under the names of the merged document', (t) => {
  const secured: JsonObject = {
    security: [{ token: [] }],
    paths: {
      '/a': { get: { responses: ok } },
      '/b': { get: { security: [], responses: ok } },
      '/c': { get: { security: [{ token: [], absent: [] }], responses: ok } },
    },
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
  }
  const own = {
    ...gateway,
    paths: { '/own': { get: { security: [{ token: [] }], responses: ok } } },
    components: { securitySchemes: { token: { type: 'http', scheme: 'basic' } } },
  }
  const result = merged([specification(secured)], [route('/*')], own)
  t.same(at(result.document, 'paths', '/a', 'get', 'security'), [{ 'fleet.token': [] }])
  t.same(at(result.document, 'paths', '/b', 'get', 'security'), [])
  t.equal(at(result.document, 'paths', '/c', 'get', 'security'), undefined)
  t.same(at(result.document, 'paths', '/own', 'get', 'security'), [{ token: [] }])
  t.same(at(result.document, 'components', 'securitySchemes', 'token', 'scheme'), 'basic')
  t.match(result.warnings, [{ code: 'HR_OPENAPI_SECURITY_UNKNOWN' }])
  t.same(violations(result.document), [])
  t.end()
})

void test('tags get a prefix only where two sources use the same, and operations without one stand under their upstream', (t) => {
  const tagged = (tag: string): JsonObject => ({
    tags: [{ name: tag, description: 'said' }, { name: 'unused' }],
    paths: { [`/${tag}`]: { get: { tags: [tag], responses: ok }, post: { responses: ok } } },
  })
  const result = merged(
    [specification(tagged('users'), 'a'), specification(tagged('users'), 'b'), specification(tagged('cars'), 'c')],
    [route('/a/*', 'a', { stripPrefix: true }), route('/b/*', 'b', { stripPrefix: true }), route('/*', 'c')],
  )
  t.same(
    (result.document['tags'] as JsonObject[]).map(({ name }) => name),
    ['a: users', 'a', 'b: users', 'b', 'cars', 'c'],
  )
  t.same(at(result.document, 'paths', '/a/users', 'get', 'tags'), ['a: users'])
  t.same(violations(result.document), [])
  t.end()
})

void test('links lead to the public operation, or are left out', (t) => {
  const links = {
    one: { operationId: 'one' },
    byRef: { operationRef: '#/paths/~1vehicles~1{id}/get' },
    lost: { operationId: 'nowhere' },
    shared: { $ref: '#/components/links/Shared' },
  }
  const document: JsonObject = {
    paths: {
      '/vehicles': { get: { responses: { 200: { description: '', links } } } },
      '/vehicles/{id}': { get: { operationId: 'one', responses: ok } },
    },
    components: { links: { Shared: { operationId: 'hidden' } } },
  }
  const own = { ...gateway, paths: { '/own': { get: { operationId: 'one', responses: ok } } } }
  const result = merged([specification(document)], [route('/api/*', 'fleet', { stripPrefix: true })], own)
  t.same(at(result.document, 'paths', '/api/vehicles', 'get', 'responses', '200', 'links'), {
    one: { operationId: 'one' },
    byRef: { operationRef: '#/paths/~1api~1vehicles~1%7Bid%7D/get' },
  })
  t.equal(at(result.document, 'paths', '/own', 'get', 'operationId'), 'one_2')
  t.equal(result.warnings.filter(({ code }) => code === 'HR_OPENAPI_LINK_DROPPED').length, 2)
  t.end()
})

void test('paths that differ in the names of parameters alone become one, its parameters renamed', (t) => {
  const first = { paths: { '/v/{id}': { get: { responses: ok } } } }
  const second = {
    paths: {
      '/v/{vehicleId}': {
        parameters: [{ name: 'vehicleId', in: 'path', schema: { type: 'integer' } }],
        put: { responses: ok },
      },
    },
  }
  const result = merged(
    [specification(first, 'a'), specification(second, 'b')],
    [route('GET /*', 'a'), route('PUT /*', 'b')],
  )
  t.same(operationsOf(result), ['get /v/{id}', 'put /v/{id}'])
  t.same(at(result.document, 'paths', '/v/{id}', 'put', 'parameters'), [
    { name: 'id', in: 'path', required: true, schema: { type: 'integer' } },
  ])
  t.end()
})

void test('a document that nests without end is cut with a warning, and keys like __proto__ stay keys', (t) => {
  const schema: JsonObject = { type: 'array' }
  schema['items'] = schema
  const properties = JSON.parse('{"__proto__":{"type":"string"},"constructor":{"type":"string"}}') as JsonObject
  const document: JsonObject = {
    paths: {
      '/x': {
        get: { responses: { 200: { description: '', content: { a: { schema }, b: { schema: { properties } } } } } },
      },
    },
  }
  const result = merged([specification(document)], [route('/*')])
  t.match(result.warnings, [{ code: 'HR_OPENAPI_TOO_DEEP', upstream: 'fleet' }])
  const shown = keysAt(
    result.document,
    'paths',
    '/x',
    'get',
    'responses',
    '200',
    'content',
    'b',
    'schema',
    'properties',
  )
  t.same(shown, ['__proto__', 'constructor'])
  t.end()
})

import fc from 'fast-check'
import { test } from 'tap'
import type { Json, JsonObject } from '../../../services/openapi/document.ts'
import { parametersOf } from '../../../services/openapi/exposure.ts'
import { merge } from '../../../services/openapi/merge.ts'
import { resolveRoute, type RouteOptions } from '../../../services/routing/options.ts'
import { violations } from './invariants.ts'

const NAMES = ['A', 'B', 'Page«X»', 'a.A', '_', 'constructor']
const name = fc.constantFrom(...NAMES)
const reference = (kind: string): fc.Arbitrary<JsonObject> =>
  fc.oneof(
    name.map((key) => ({ $ref: `#/components/${kind}/${encodeURIComponent(key)}` })),
    fc
      .constantFrom('#/paths/~1x/get', '#', '#/%', 'other.json#/A', '#/components/schemas/A/properties/p', '')
      .map((text) => ({
        $ref: text,
      })),
  )

const { schema } = fc.letrec<{ schema: Json }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    reference('schemas') as fc.Arbitrary<Json>,
    fc.record(
      {
        type: fc.constantFrom<Json>('string', 'object', ['integer', 'null']),
        nullable: fc.boolean(),
        minimum: fc.integer(),
        exclusiveMinimum: fc.boolean(),
        example: fc.constantFrom<Json>({ $ref: '#/nowhere' }, 1, null),
        discriminator: fc.constantFrom<Json>(
          { propertyName: 'p' },
          { propertyName: 'p', mapping: { a: 'A', b: '#/components/schemas/B', c: 'c.json' } },
        ),
        properties: fc.dictionary(fc.constantFrom('p', '$ref', 'nullable', '__proto__'), tie('schema'), { maxKeys: 2 }),
        items: tie('schema'),
        allOf: fc.array(tie('schema'), { maxLength: 2 }),
        oneOf: fc.array(tie('schema'), { maxLength: 2 }),
      },
      { requiredKeys: [] },
    ) as fc.Arbitrary<Json>,
    fc.constantFrom<Json>(true, false, null, 7, 'text', []),
  ),
}))

const media = schema.map((value): JsonObject => ({ 'application/json': { schema: value } }))
const response = fc.oneof(
  reference('responses'),
  fc.record({ description: fc.constant('r'), content: media }),
  fc.record({
    description: fc.constant('r'),
    links: fc.constantFrom<Json>(
      { l: { operationId: 'A' } },
      { l: { operationRef: '#/paths/~1x~1{id}/get' } },
      { l: { $ref: '#/components/links/A' } },
    ),
  }),
) as fc.Arbitrary<JsonObject>
const parameter = fc.oneof(
  reference('parameters'),
  fc.record({ name: fc.constantFrom('id', 'other', 'q'), in: fc.constantFrom('path', 'query', 'header'), schema }),
) as fc.Arbitrary<JsonObject>

const operation: fc.Arbitrary<JsonObject> = fc.record(
  {
    operationId: name,
    tags: fc.array(name, { maxLength: 2 }),
    parameters: fc.array(parameter, { maxLength: 3 }),
    requestBody: fc.oneof(reference('requestBodies'), fc.record({ content: media })),
    responses: fc.dictionary(fc.constantFrom('200', '404', 'default', 'x-note'), response, { maxKeys: 2 }),
    security: fc.array(fc.dictionary(name, fc.constant([]), { maxKeys: 2 }), { maxLength: 2 }),
    callbacks: fc.constantFrom<Json>(
      { c: { '{$request.body#/u}': { post: { operationId: 'A', responses: {} } } } },
      null,
    ),
  },
  { requiredKeys: ['responses'] },
) as fc.Arbitrary<unknown> as fc.Arbitrary<JsonObject>

const segment = fc.constantFrom('x', 'api', '{id}', '{other}', '{id}.json', '')
const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join('/')}`)
const item = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({ get: operation, post: operation, parameters: fc.array(parameter) }, { requiredKeys: [] }),
  },
  { weight: 1, arbitrary: fc.constantFrom<Json>({ $ref: '#/paths/~1x' }, null, []) },
)
const folder = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> =>
  fc.dictionary(name, value, { maxKeys: 4 })
const document = fc.record({
  openapi: fc.constantFrom('3.0.3', '3.1.0'),
  info: fc.constant({ title: 'T', version: '1' }),
  servers: fc.constantFrom<Json>([], [{ url: '/api' }], [{ url: 'https://x.example/{v}' }], null),
  security: fc.constantFrom<Json>([{ A: [] }], []),
  tags: fc.array(
    name.map((value) => ({ name: value })),
    { maxLength: 2 },
  ),
  paths: fc.dictionary(path, item, { maxKeys: 4 }),
  components: fc.record({
    schemas: folder(schema),
    responses: folder(response),
    parameters: folder(parameter),
    requestBodies: folder(fc.record({ content: media })),
    securitySchemes: folder(fc.constant({ type: 'http', scheme: 'bearer' })),
    links: folder(fc.constantFrom<Json>({ operationId: 'A' }, { operationId: 'B' })),
  }),
}) as fc.Arbitrary<JsonObject>

const routes = fc.uniqueArray(
  fc
    .tuple(
      fc.constantFrom('', 'GET ', 'GET,POST '),
      fc.constantFrom('', 'a.example', '*.example'),
      fc.constantFrom('/*', '/api/*', '/x/:id', '/:a/:b/*', '/x'),
      fc.constantFrom('a', 'b'),
      fc.boolean(),
      fc.constantFrom(undefined, '/x', '/api/*'),
      fc.boolean(),
    )
    .filter(([, , pattern, , , rewrite]) => rewrite !== '/api/*' || pattern.endsWith('*'))
    .map(
      ([methods, host, pattern, to, stripPrefix, rewrite, docs]): RouteOptions =>
        resolveRoute(`${methods}${host}${pattern}`, {
          to,
          stripPrefix,
          encodedSlash: 'opaque',
          websocket: true,
          cache: false,
          mock: false,
          maintenance: false,
          docs,
          ...(rewrite === undefined ? {} : { rewrite }),
        }),
    ),
  { selector: (route) => route.key, maxLength: 5 },
)

const ANY = resolveRoute('/*', {
  to: 'a',
  stripPrefix: false,
  encodedSlash: 'opaque',
  cache: false,
  mock: false,
  maintenance: false,
  docs: true,
  websocket: true,
})

const input = fc.record({ a: document, b: document, own: document, routes })

function mergeAll({
  a,
  b,
  own,
  routes: configured,
}: {
  a: JsonObject
  b: JsonObject
  own: JsonObject
  routes: RouteOptions[]
}) {
  const specifications = [
    { upstream: 'a', document: a, base: '/', targets: [] },
    { upstream: 'b', document: b, base: '/docs/openapi.json', targets: ['https://x.example'] },
  ]
  return merge({ gateway: { ...own, openapi: '3.1.0', paths: {} }, specifications, routes: configured })
}

void test('whatever the specifications hold, the merged document keeps the structure of OpenAPI 3.1', (t) => {
  fc.assert(
    fc.property(input, (value) => {
      const found = violations(mergeAll(value).document).filter((text) => !isRepeated(text))
      return found.length === 0 || `violations: ${found.join('; ')}` === ''
    }),
    { numRuns: 400 },
  )
  t.end()
})

void test('merging is deterministic and leaves its sources as they are', (t) => {
  fc.assert(
    fc.property(input, (value) => {
      const before = JSON.stringify(value)
      const first = JSON.stringify(mergeAll(value).document)
      return first === JSON.stringify(mergeAll(value).document) && before === JSON.stringify(value)
    }),
    { numRuns: 100 },
  )
  t.end()
})

void test('a merged document merged again under a route for everything is the same paths and components', (t) => {
  fc.assert(
    fc.property(input, (value) => {
      const once = mergeAll(value).document
      const again = mergeAll({ ...value, a: { ...once, servers: [] }, b: { openapi: '3.1.0' }, routes: [ANY] }).document
      const count = (document: JsonObject): number => Object.keys(document['paths'] as JsonObject).length
      return count(again) === count(once)
    }),
    { numRuns: 100 },
  )
  t.end()
})

/** A path that names a parameter twice is invalid where it comes from. */
function isRepeated(text: string): boolean {
  const [, path] = /^path parameters of (\S+):/.exec(text) ?? []
  return path !== undefined && new Set(parametersOf(path)).size !== parametersOf(path).length
}

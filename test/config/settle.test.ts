import { test } from 'tap'
import fc from 'fast-check'
import { Value } from 'typebox/value'
import { Report } from '../../config/problem.ts'
import { configSchema } from '../../config/schema.ts'
import { type SchemaNode, settle } from '../../config/settle.ts'

const UNDERSTOOD = new Set(
  'type description default examples properties required patternProperties additionalProperties items minItems maxItems maxProperties anyOf const enum pattern minimum maximum unit secret expects'.split(
    ' ',
  ),
)

function settled(value: unknown, schema: SchemaNode = configSchema as SchemaNode) {
  const report = new Report()
  return { result: settle(schema, value, [], { report, isUnset: () => false }), report }
}

function* nodesOf(schema: SchemaNode): Generator<SchemaNode> {
  yield schema
  const inner = [
    ...Object.values(schema.properties ?? {}),
    ...Object.values(schema.patternProperties ?? {}),
    ...(schema.anyOf ?? []),
    ...(schema.items ? [schema.items] : []),
  ]
  for (const node of inner) yield* nodesOf(node)
}

void test('every keyword that the option schemas use is one that validation looks at', async (t) => {
  const unknown = [...nodesOf(configSchema as SchemaNode)].flatMap((node) =>
    Object.keys(node).filter((keyword) => !UNDERSTOOD.has(keyword)),
  )
  t.same(unknown, [])
})

void test('every property is described, and every default is valid', async (t) => {
  for (const node of nodesOf(configSchema as SchemaNode)) {
    for (const [name, property] of Object.entries(node.properties ?? {})) t.ok(property.description, name)
    if (node.default !== undefined) t.same(settled(node.default, node).report.complaints, [])
  }
})

void test('an empty configuration is its defaults, in the shape that the schema promises', async (t) => {
  const { result, report } = settled({})
  t.same(report.complaints, [])
  t.ok(Value.Check(configSchema, result))
  t.match(result, { processes: 1, listen: { port: 8080 }, limits: { http2: { streams: 100 } }, admin: { port: 9090 } })
})

const upstream = fc.record(
  {
    targets: fc.array(fc.constantFrom('http://a', 'https://b:1', 'unix:/s', 'c', 1 as never)),
    connections: fc.oneof(fc.integer(), fc.constantFrom('5', 'x', null as never)),
    timeout: fc.oneof(fc.record({ connect: fc.constantFrom('1s', '1 s', 3) }, { requiredKeys: [] }), fc.anything()),
    http2: fc.oneof(fc.boolean(), fc.constant('true')),
  },
  { requiredKeys: [] },
)
const anyConfig = fc.record(
  {
    listen: fc.oneof(fc.record({ port: fc.oneof(fc.nat(), fc.string()) }), fc.array(fc.anything()), fc.anything()),
    admin: fc.constantFrom(false, true, {}, { token: 1 }),
    processes: fc.oneof(fc.integer(), fc.string(), fc.double()),
    upstreams: fc.oneof(fc.dictionary(fc.string(), upstream), fc.anything()),
    routes: fc.oneof(fc.dictionary(fc.string(), fc.record({ to: fc.string() })), fc.anything()),
    log: fc.anything(),
    extra: fc.anything(),
  },
  { requiredKeys: [] },
)

void test('whatever is given, what comes out without a complaint is what the schema promises', async (t) => {
  fc.assert(
    fc.property(anyConfig, (value) => {
      const { result, report } = settled(value)
      return report.complaints.length > 0 || Value.Check(configSchema, result)
    }),
  )
  t.pass()
})

void test('what is complained of is left out or replaced, so that the rest has its shape', async (t) => {
  fc.assert(fc.property(anyConfig, (value) => Value.Check(configSchema, settled(value).result)))
  t.pass()
})

void test('text is taken where a number or a boolean belongs, as an environment variable holds it', async (t) => {
  const { result, report } = settled({ processes: '3', metrics: 'false', log: { sample: '0.5' } })
  t.same(report.complaints, [])
  t.match(result, { processes: 3, metrics: false, log: { sample: 0.5 } })
})

void test('a union complains of the branch that was meant, and of that alone', async (t) => {
  const { report } = settled({ listen: { port: 'x' }, endpoints: { health: 'health', docs: 3 }, admin: 'no' })
  t.match(report.complaints, [
    { path: ['listen', 'port'], message: "expected an integer from 0 to 65535, got 'x'" },
    { path: ['admin'], message: "expected an object such as { port: 9090 } or false, got 'no'" },
    { path: ['endpoints', 'health'], suggestion: "'/health'" },
    { path: ['endpoints', 'docs'], message: /expected a path such as '\/health', without parameters or false, got 3/ },
  ])
  t.equal(report.complaints.length, 4)
})

void test('an object with a member called toString is as wrong as any other, wherever it stands', async (t) => {
  const odd = { toString: false, valueOf: 0 }
  const found = settled({ log: [odd], admin: odd, metrics: odd, processes: odd, timeout: { total: odd }, extra: odd })
  const { report } = settled({
    limits: { body: odd },
    listen: { port: odd, host: odd },
    upstreams: { a: { http2: odd } },
  })
  t.ok(found.report.complaints.length >= 5)
  t.match(report.complaints, [{ message: /got an object$/ }, { message: /got an object$/ }])
})

void test('a key without a value counts as left out', async (t) => {
  const { result, report } = settled({ listen: null, log: { level: null } })
  t.same(report.complaints, [])
  t.match(result, { listen: { port: 8080 }, log: { level: 'info' } })
})

void test('keys of prototypes are data like any other', async (t) => {
  const { report } = settled(
    JSON.parse('{"__proto__": {"listen": 1}, "constructor": 2, "upstreams": {"__proto__": {}}}'),
  )
  t.match(report.complaints, [
    { code: 'HR_CONFIG_UNKNOWN_KEY', path: ['__proto__'] },
    { code: 'HR_CONFIG_UNKNOWN_KEY', path: ['constructor'] },
    { code: 'HR_CONFIG_NAME', path: ['upstreams', '__proto__'] },
    { code: 'HR_CONFIG_MISSING' },
  ])
})

void test('a secret is not repeated in what is said of it', async (t) => {
  const { report } = settled({ admin: { token: 12345 } })
  t.match(report.complaints, [{ path: ['admin', 'token'], message: 'expected text without blanks, got a number' }])
  t.notMatch(JSON.stringify(report.complaints), '12345')
})

void test('a map that has more entries than it may is refused as a whole', async (t) => {
  const schema: SchemaNode = { type: 'object', patternProperties: { '^.*$': { type: 'string' } }, maxProperties: 2 }
  t.same(settled({ a: '1', b: '2' }, schema).result, { a: '1', b: '2' })
  const { result, report } = settled({ a: '1', b: '2', c: '3' }, schema)
  t.equal(result, undefined)
  t.match(report.complaints, [{ message: 'expected at most 2 entries, got 3' }])
})

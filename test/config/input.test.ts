import { test } from 'tap'
import { defineConfig, env } from '../../config/define.ts'
import type { Needed } from '../../config/input.ts'
import { configSchema } from '../../config/schema.ts'
import type { SchemaNode } from '../../config/settle.ts'

const NEEDED = {
  to: true,
  id: true,
  ca: true,
  targets: true,
  cert: true,
  key: true,
  url: true,
  hash: true,
  split: true,
  issuer: true,
  audience: true,
  jwks: true,
  clientId: true,
  bearer: true,
  grants: true,
} satisfies Record<Needed, true>

function* objectsIn(schema: SchemaNode): Generator<SchemaNode> {
  if (schema.properties) yield schema
  const inner = [
    ...Object.values(schema.properties ?? {}),
    ...Object.values(schema.patternProperties ?? {}),
    ...(schema.anyOf ?? []),
    ...(schema.items ? [schema.items] : []),
  ]
  for (const node of inner) yield* objectsIn(node)
}

void test('the properties that the type asks for are those that have no default', async (t) => {
  for (const { properties = {}, required = [] } of objectsIn(configSchema as SchemaNode)) {
    for (const [name, property] of Object.entries(properties)) {
      const isNeeded = required.includes(name) && property.default === undefined
      if (isNeeded) t.ok(name in NEEDED, `${name} is needed, and config/input.ts does not say so`)
      else if (name in NEEDED)
        t.notOk(required.includes(name), `${name} has a default here: config/input.ts asks for it`)
    }
  }
})

void test('defineConfig takes what may be written, and nothing else', async (t) => {
  const config = {
    listen: [{ port: 1, tls: 'development' as const }, { h2c: true }],
    admin: false as const,
    upstreams: { a: { targets: ['http://b'], timeout: { connect: '1s' } } },
    routes: { '/*': { to: 'a' } },
  }
  t.equal(defineConfig(config), config)
  defineConfig({ processes: env('HEADRACE_TEST_UNSET', 2), metrics: env('HEADRACE_TEST_UNSET', true) })
  // @ts-expect-error a target is needed
  defineConfig({ upstreams: { a: {} } })
  // @ts-expect-error there is no such property
  defineConfig({ listn: {} })
  // @ts-expect-error a level is one of a few words
  defineConfig({ log: { level: 'verbose' } })
})

void test('env has the type of its default, and throws where there is none', async (t) => {
  t.equal(env('HEADRACE_TEST_UNSET', 8080), 8080)
  t.equal(env('HEADRACE_TEST_UNSET', ''), '')
  t.throws(() => env('HEADRACE_TEST_UNSET'), { code: 'HR_CONFIG_ENV_UNSET', message: /HEADRACE_TEST_UNSET is not set/ })
})

import { test } from 'tap'
import { Compile } from 'typebox/compile'
import { editorSchema } from '../../config/json-schema.ts'
import { redact } from '../../config/redact.ts'
import { configSchema } from '../../config/schema.ts'
import { type SchemaNode, settle } from '../../config/settle.ts'
import { Report } from '../../config/problem.ts'
import type { Settings } from '../../config/schema.ts'

const accepts = (value: unknown): boolean => Compile(editorSchema() as never).Check(value)

void test('the schema for editors asks for nothing that has a default, and takes variables', async (t) => {
  t.ok(accepts({}))
  t.ok(accepts({ listen: { port: '${PORT:-8080}' }, log: { level: '${LEVEL}' }, drainTimeout: '${T}' }))
  t.ok(accepts({ upstreams: { a: { targets: ['http://a'] } }, routes: { '/*': { to: 'a' } } }))
  t.notOk(accepts({ upstreams: { a: {} } }))
  t.notOk(accepts({ listen: { port: 'x' } }))
  t.notOk(accepts({ listn: {} }))
})

void test('redaction replaces every secret that is set, and nothing else', async (t) => {
  const settings = (value: object): Settings =>
    settle(configSchema as SchemaNode, value, [], { report: new Report(), isUnset: () => false }) as Settings
  t.match(redact(settings({ admin: { token: 'hunter2' } })), { admin: { token: '[redacted]', port: 9090 } })
  t.same(redact(settings({ listen: [{ port: 3 }] })), settings({ listen: [{ port: 3 }] }))
})

import { test } from 'tap'
import { accessOf, asking, keyFor } from './given.ts'

const OVERRIDES = ['X-HTTP-Method-Override', 'DELETE', 'x_http_method', 'DELETE', 'X-Method-Override', 'DELETE']

void test('where permissions name methods, what is done upstream is what was asked for', async (t) => {
  const { key, entry } = keyFor()
  const consumers = { acme: { keys: [entry], groups: ['trial'] } }
  const sent = async (route: object, fields: string[]): Promise<string[]> => {
    const exchange = asking({ method: 'POST', fields: [...fields, ...OVERRIDES] })
    for (const gate of accessOf({ consumers }, route).gates) t.equal(await gate.check(exchange), undefined)
    return exchange.fields.kept.filter((_, index) => index % 2 === 0)
  }
  const deny = [{ methods: ['DELETE'], groups: ['trial'] }]
  const byMethod = { by: ['key', 'anonymous'], deny }
  t.notMatch((await sent(byMethod, ['x-api-key', key])).join(), /method/i)
  t.same(await sent(byMethod, []), [], 'of nobody either')
  t.equal((await sent({ by: ['key', 'anonymous'] }, [])).length, 3, 'elsewhere they are for the upstream to judge')
})

import { test, type Test } from 'tap'
import { resolveConfig } from '../../config/resolve.ts'
import { configuredAdmin, relatedDocs } from '../../server/related-docs.ts'

const config = (t: Test, input: Record<string, unknown>) => resolveConfig(input, { root: t.testdir() })

void test('each plane links to the documents of the other, once its address is known', async (t) => {
  let addresses: { kind: 'public' | 'admin'; url: string }[] = []
  const related = relatedDocs(config(t, {}), 'admin', () => addresses)
  t.equal(related(), null)
  addresses = [
    { kind: 'public', url: 'http://127.0.0.1:1' },
    { kind: 'admin', url: 'http://127.0.0.1:2' },
  ]
  t.same(related(), { title: 'The control plane', url: 'http://127.0.0.1:2/docs' })
})

void test('there is nothing to link to where both share an address, or where there are no documents', async (t) => {
  const addresses = () => [{ kind: 'admin' as const, url: 'http://127.0.0.1:2' }]
  for (const input of [{ admin: { shared: true } }, { admin: false }, { endpoints: { docs: false } }]) {
    t.equal(relatedDocs(config(t, input), 'admin', addresses)(), null, JSON.stringify(input))
  }
})

void test('a process knows the admin listener from the configuration, unless the system chooses its port', async (t) => {
  t.same(configuredAdmin(config(t, {})), [{ kind: 'admin', url: 'http://127.0.0.1:9090' }])
  t.same(configuredAdmin(config(t, { admin: { host: '::1' } })), [{ kind: 'admin', url: 'http://[::1]:9090' }])
  for (const admin of [{ port: 0 }, { shared: true }, false]) t.same(configuredAdmin(config(t, { admin })), [])
})

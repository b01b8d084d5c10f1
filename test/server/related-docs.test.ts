import { test, type Test } from 'tap'
import { resolveConfig } from '../../config/resolve.ts'
import { relatedDocs } from '../../server/related-docs.ts'

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

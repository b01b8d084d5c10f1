import { test } from 'tap'
import { resolveConfig } from '../../config/resolve.ts'
import { createReloading, type ReloadContext } from '../../server/reloading.ts'

void test('a reload that is asked for while the gateway starts comes once it runs', async (t) => {
  const reloading = createReloading(resolveConfig({ upstreams: {}, routes: {} }, { root: '/' }), null)
  const said: object[] = []
  const read = Promise.withResolvers<void>()
  reloading.later('signal')
  reloading.start({
    log: { info: (details: object) => void said.push(details), error: (details: object) => void said.push(details) },
    own: { answer: () => undefined, obey: () => undefined },
    control: { tell: async (name: string) => void (name === 'certificates' && read.resolve()) },
    rolling: () => null,
    apply: async () => undefined,
  } as unknown as ReloadContext)
  await read.promise
  await new Promise(setImmediate)
  t.match(said, [{ trigger: 'signal' }])
  t.match(reloading.report(), { version: 1 })
})

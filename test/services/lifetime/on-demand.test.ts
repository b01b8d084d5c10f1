import { createRequire } from 'node:module'
import { test } from 'tap'
import type * as Acorn from 'acorn'
import { onDemand } from '../../../services/lifetime/on-demand.ts'

void test('a library is loaded when it is asked for, and once', async (t) => {
  const { cache, resolve } = createRequire(import.meta.url)
  const acorn = onDemand<typeof Acorn>('acorn')
  t.equal(cache[resolve('acorn')], undefined)
  t.type(acorn().parse, 'function')
  t.ok(cache[resolve('acorn')])
  t.equal(acorn(), acorn())
})

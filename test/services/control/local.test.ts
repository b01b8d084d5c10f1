import { test } from 'tap'
import { LocalControl } from '../../../services/control/local.ts'

void test('a query is answered by its handler, through the merge rule', async (t) => {
  const local = new LocalControl()
  local.answer({ readiness: async () => ({ ready: false, draining: true, unavailable: [], maintenance: false }) })
  t.strictSame(await local.ask('readiness'), {
    result: { ready: false, draining: true, unavailable: [], maintenance: false },
    missing: [],
  })
})

void test('a command reaches its handler with its arguments', async (t) => {
  const local = new LocalControl()
  const levels: string[] = []
  local.obey({ 'log-level': ({ level }) => void levels.push(level) })
  t.strictSame(await local.tell('log-level', { level: 'trace' }), { applied: 1, results: [undefined] })
  t.strictSame(levels, ['trace'])
})

void test('what nobody handles is refused by name', async (t) => {
  const local = new LocalControl()
  await t.rejects(local.ask('metrics'), { code: 'HR_CONTROL_UNSUPPORTED', statusCode: 404, message: /"metrics"/ })
  await t.rejects(local.tell('log-level', { level: 'info' }), { code: 'HR_CONTROL_UNSUPPORTED' })
})

void test('what a handler throws reaches the caller', async (t) => {
  const local = new LocalControl()
  local.answer({
    health: () => {
      throw new TypeError('broken')
    },
  })
  await t.rejects(local.ask('health'), { name: 'TypeError', message: 'broken' })
})

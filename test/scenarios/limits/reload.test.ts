import { test } from 'tap'
import { PATIENCE } from '../../helper.ts'
import { reloadable } from '../../server/reloadable.ts'

void test('a reload forgets nothing of limits that stay as they are', { timeout: PATIENCE }, async (t) => {
  const route = { answer: { body: 'x' }, rateLimit: ['kept', 'changed'] }
  const input = { rateLimit: { kept: { rate: '2/h' }, changed: { rate: '1/h' } }, routes: { '/*': route } }
  const gateway = await reloadable(t, input)
  t.equal((await gateway.get('/')).status, 200)
  // What clients are told of it, and where it holds, is no part of a limit's memory; how much it allows is.
  await gateway.reload({
    rateLimit: { kept: { rate: '2/h', headers: 'both' }, changed: { rate: '9/h' } },
    routes: { '/*': route, '/more': route },
  })
  t.equal((await gateway.get('/more')).status, 200)
  t.equal((await gateway.get('/')).status, 429)
})

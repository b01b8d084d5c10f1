import { test } from 'tap'
import { headrace } from './command-line.ts'
import { runningGateway } from './running.ts'

void test('maintenance is switched for all routes or one, and shown', async (t) => {
  const { cwd, publicUrl } = await runningGateway(t, {
    routes: { 'GET /a': { answer: { body: 'a' } }, '/b': { answer: { body: 'b' } } },
  })
  const told = async (...args: string[]): Promise<string> => {
    const { code, out, err } = await headrace(cwd, ['maintenance', ...args])
    t.same({ code, err }, { code: 0, err: '' })
    return out
  }
  const statuses = async (): Promise<number[]> => [
    (await fetch(`${publicUrl}/a`)).status,
    (await fetch(`${publicUrl}/b`)).status,
  ]
  t.equal(await told(), '✔ nothing is in maintenance\n')
  t.equal(await told('on', 'GET', '/a'), '● GET /a is in maintenance\n')
  t.same(await statuses(), [503, 200])
  t.equal(await told('on'), '● all routes are in maintenance\n● GET /a is in maintenance\n')
  t.same(await statuses(), [503, 503])
  t.same(JSON.parse(await told('--json')), { gateway: true, routes: ['GET /a'], missing: [] })
  const { code, out } = await headrace(cwd, ['status'])
  t.equal(code, 1)
  t.match(out, /degraded .*\n {2}The gateway is in maintenance\n {2}The route GET \/a is in maintenance\n/)
  t.equal(await told('off'), '● GET /a is in maintenance\n')
  t.equal(await told('off', 'GET /a'), '✔ nothing is in maintenance\n')
  t.same(await statuses(), [200, 200])
})

void test('a word or a route that there is not is told, and changes nothing', async (t) => {
  const usage = await headrace('/nonexistent', ['maintenance', 'of'])
  t.same({ code: usage.code, out: usage.out }, { code: 2, out: '' })
  t.match(usage.err, "maintenance is 'on' or 'off', not 'of'")
  const { cwd } = await runningGateway(t, { routes: { '/b': { answer: {} } } })
  const { code, err } = await headrace(cwd, ['maintenance', 'on', '/c'])
  t.equal(code, 1)
  t.match(err, /There is no route '\/c'.*there are: \/b/)
})

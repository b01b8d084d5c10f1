import { request } from 'undici'
import { test } from 'tap'
import { headrace } from './command-line.ts'
import { httpServer, runningGateway } from './running.ts'
import { until } from '../until.ts'

void test('warm has the gateway ask for URLs: clients are answered from the cache at once', async (t) => {
  const asked: string[] = []
  const origin = await httpServer(t, ({ url = '' }, response) => {
    asked.push(url)
    if (url === '/missing') response.writeHead(404).end()
    else response.setHeader('cache-control', 'max-age=60').end('x')
  })
  const { cwd, publicUrl } = await runningGateway(t, {
    upstreams: { o: { targets: [origin] } },
    routes: { '/*': { to: 'o', cache: true } },
  })
  const warmed = async (...args: string[]) => headrace(cwd, ['warm', ...args])

  t.same(await warmed(`${publicUrl}/a`, `${publicUrl}/b`, `${publicUrl}/a`), {
    code: 0,
    out: '✔ 2 asked for\n',
    err: '',
  })
  const answer = await request(`${publicUrl}/a`)
  t.match(answer.headers['cache-status'], /hit/)
  t.equal(await answer.body.text(), 'x')

  t.match(await warmed('/a'), { code: 0, out: '✔ 1 asked for\n', err: /^note a path alone is warm for localhost only/ })

  const { code, out, err } = await warmed(`${publicUrl}/missing`, 'ftp://a.test/')
  t.equal(code, 1)
  t.equal(out, '✔ 2 asked for, 2 failed\n')
  t.match(err, /\/missing: 404\n/)
  t.match(err, /'ftp:\/\/a\.test\/' cannot be warmed/)

  t.same(asked.toSorted(), ['/a', '/a', '/b', '/missing'])
})

void test('the configured list is asked for at the start, and again when warm names nothing else', async (t) => {
  const asked: string[] = []
  const origin = await httpServer(t, ({ url, headers }, response) => {
    const { 'x-forwarded-proto': scheme, 'x-forwarded-host': host, 'accept-language': language = '' } = headers
    asked.push([scheme, host, url, language].join(' '))
    response.setHeader('cache-control', 'max-age=60').end('x')
  })
  const { cwd, adminUrl, running } = await runningGateway(t, {
    cache: { warm: ['https://api.test/v?x', { url: 'http://api.test/de', headers: { 'Accept-Language': 'de' } }] },
    upstreams: { o: { targets: [origin] } },
    routes: { '/*': { to: 'o', cache: true } },
  })
  const headers = { authorization: `Bearer ${running.token}` }
  let progress: unknown
  await until(async () => {
    progress = await (await fetch(`${adminUrl}/performance/cache/warm`, { headers })).json()
    return (progress as { state: string }).state === 'done'
  })
  t.match(progress, { total: 2, done: 2, failed: 0, failures: [], missing: [] })
  t.same(asked.toSorted(), ['http api.test /de de', 'https api.test /v?x '])
  const { code, out } = await headrace(cwd, ['warm', '--json'])
  t.equal(code, 0)
  t.match(JSON.parse(out), { state: 'done', total: 2, done: 2, failed: 0 })
  t.equal(asked.length, 2, 'what is fresh is not asked of its origin')
  const cancelled = await fetch(`${adminUrl}/performance/cache/warm`, { method: 'DELETE', headers })
  t.match(await cancelled.json(), { state: 'done' }, 'there is nothing to cancel')
})

void test('a gateway without a list says what to do', async (t) => {
  const { cwd } = await runningGateway(t)
  t.match(await headrace(cwd, ['warm']), { code: 0, out: /nothing to ask for: name URLs, or list them as cache\.warm/ })
})

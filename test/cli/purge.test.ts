import { request } from 'undici'
import { test } from 'tap'
import { headrace } from './command-line.ts'
import { httpServer, runningGateway } from './running.ts'

void test('purge empties the cache of the running gateway, by what is named', async (t) => {
  const origin = await httpServer(t, (_request, response) => {
    response.setHeader('cache-control', 'max-age=60').end('x')
  })
  const { cwd, publicUrl } = await runningGateway(t, {
    upstreams: { o: { targets: [origin] } },
    routes: { '/*': { to: 'o', cache: { tags: ['vehicles'] } } },
  })
  const fill = async (...paths: string[]): Promise<void> => {
    for (const path of paths) await (await request(publicUrl + path)).body.dump()
  }
  await fill('/a', '/b/1', '/b/2', '/b/3/c')
  const purged = async (...args: string[]): Promise<string> => {
    const { code, out, err } = await headrace(cwd, ['purge', ...args])
    t.same({ code, err }, { code: 0, err: '' })
    return out
  }
  t.equal(await purged('/%61'), '✔ 1 stored response purged\n')
  t.equal(
    await purged(`${publicUrl}/a`),
    '✔ nothing was stored that fits; a path alone (/vehicles/7) fits whatever the scheme and host\n',
  )
  t.equal(await purged('--prefix', '/b/', '--soft'), '✔ 3 stored responses marked as stale\n')
  t.equal(await purged('--pattern', '/b/*/c'), '✔ 1 stored response purged\n')
  await fill('/a')
  t.equal(await purged('--tag', 'vehicles'), '✔ 3 stored responses purged\n')
  t.same(JSON.parse(await purged('--all', '--json')), { purged: 0, processes: 1, waiting: 0 })
})

void test('what names nothing, or several things, is refused before anything is asked', async (t) => {
  for (const [args, hint] of [
    [[], 'purge needs a URL, --prefix, --pattern, --tag or --all'],
    [['/a', '--all'], 'not a URL and --all'],
    [['--tag', 'a', '--prefix', '/b'], 'not --prefix and --tag'],
    [['--sfot'], "did you mean '--soft'?"],
  ] as const) {
    const { code, out, err } = await headrace('/nonexistent', ['purge', ...args])
    t.same({ code, out }, { code: 2, out: '' })
    t.match(err, hint)
  }
})

void test('what cannot be a URL is told in the words of the gateway', async (t) => {
  const { cwd } = await runningGateway(t)
  const { code, err } = await headrace(cwd, ['purge', 'vehicles'])
  t.equal(code, 1)
  t.match(err, /is neither a URL of http or https nor a path\. Write a URL such as .*HR_CACHE_TARGET/)
})

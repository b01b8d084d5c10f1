import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { loadConfig } from '../../config/load.ts'
import { compareConfigurations, type Configuration, configurationOf } from '../../server/configuration.ts'

const BASE = { upstreams: { a: { targets: ['http://a'] } }, routes: { '/*': { to: 'a' } } }

async function configuration(t: Test, input: Record<string, unknown>, cwd = '/'): Promise<Configuration> {
  const loaded = await loadConfig({ cwd, variables: {}, inline: { ...BASE, ...input } })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  return configurationOf(loaded)
}

async function changes(t: Test, before: Record<string, unknown>, after: Record<string, unknown>) {
  return compareConfigurations(await configuration(t, before), await configuration(t, after))
}

void test('what is different is told by property, without its defaults, and secrets are not', async (t) => {
  t.strictSame(await changes(t, {}, { log: {} }), [], 'a default that is written is no change')
  t.strictSame(
    await changes(
      t,
      { admin: { token: 'one' }, redis: { url: 'redis://u:p@h' }, routes: { '/*': { to: 'a' }, '/gone': { to: 'a' } } },
      {
        admin: { token: 'two' },
        upstreams: { a: { targets: ['http://a', 'http://b'], timeout: { total: '5s' } } },
        routes: { '/*': { to: 'a', cache: { ttl: '1m' } }, 'GET /new': { to: 'a', stripPrefix: true } },
      },
    ),
    [
      { path: 'admin.token', kind: 'changed', before: '[redacted]', after: '[redacted]', effect: 'reload' },
      { path: 'redis.url', kind: 'removed', before: '[redacted]', after: null, effect: 'reload' },
      {
        path: 'upstreams.a.targets',
        kind: 'changed',
        before: ['http://a'],
        after: ['http://a', 'http://b'],
        effect: 'reload',
      },
      { path: 'upstreams.a.timeout.total', kind: 'changed', before: '60s', after: '5s', effect: 'reload' },
      { path: "routes['/*'].cache", kind: 'changed', before: false, after: { ttl: '1m' }, effect: 'reload' },
      { path: "routes['/gone']", kind: 'removed', before: { to: 'a' }, after: null, effect: 'reload' },
      {
        path: "routes['GET /new']",
        kind: 'added',
        before: null,
        after: { to: 'a', stripPrefix: true },
        effect: 'reload',
      },
    ],
  )
})

void test('a restart is needed for what the process holds that does the supervising', async (t) => {
  const effects = async (before: Record<string, unknown>, after: Record<string, unknown>) =>
    (await changes(t, before, after)).map(({ path, effect }) => `${path}: ${effect}`)
  const alone: [Record<string, unknown>, string][] = [
    [{ listen: { port: 1 } }, 'listen.port: restart'],
    [{ listen: [{}, { port: 1 }] }, 'listen[1]: restart'],
    [{ listen: { tls: 'development' } }, 'listen.tls: restart'],
    [{ limits: { http2: { streams: 1 } } }, 'limits.http2.streams: restart'],
    [{ limits: { bodySize: '1KiB' } }, 'limits.bodySize: reload'],
    [{ processes: 2 }, 'processes: restart'],
    [{ dataDir: 'x' }, 'dataDir: restart'],
    [{ admin: false }, 'admin: restart'],
    [{ admin: { port: 1 } }, 'admin.port: restart'],
    [{ log: { format: 'json' } }, 'log.format: restart'],
    [{ log: { level: 'warn' } }, 'log.level: reload'],
    [{ reload: { watch: true } }, 'reload.watch: reload'],
    [{ listen: [{}] }, ''],
  ]
  for (const [input, expected] of alone) {
    t.strictSame(await effects({}, input), expected === '' ? [] : [expected])
  }
  const many: [Record<string, unknown>, string][] = [
    [{ listen: { port: 1 } }, 'listen.port: reload'],
    [{ listen: [{}, { port: 1 }] }, 'listen[1]: reload'],
    [{ listen: { tls: 'development' } }, 'listen.tls: reload'],
    [{ limits: { http2: { streams: 1 } } }, 'limits.http2.streams: reload'],
    [{ processes: 3 }, 'processes: reload'],
    [{ processes: 1 }, 'processes: restart'],
    [{ dataDir: 'x' }, 'dataDir: restart'],
    [{ admin: { shared: true } }, 'admin.shared: restart'],
  ]
  for (const [input, expected] of many) {
    t.strictSame(await effects({ processes: 2 }, { processes: 2, ...input }), [expected])
  }
})

void test('a file that is named counts with its content', async (t) => {
  const folder = t.testdir({ crt: '1', key: '1', ca: '1', 'api.yaml': '1' })
  const input = {
    listen: [{}, { port: 1, tls: [{ cert: 'crt', key: 'key' }] }],
    upstreams: {
      a: { targets: ['https://a'], tls: { ca: 'ca' }, openapi: 'api.yaml' },
      ab: { targets: ['https://a'], tls: { ca: 'ca' } },
    },
  }
  const before = await configuration(t, input, folder)
  for (const name of ['key', 'ca', 'api.yaml']) writeFileSync(join(folder, name), '2')
  t.strictSame(compareConfigurations(before, await configuration(t, input, folder)), [
    { path: 'listen[1].tls[0].key', kind: 'file', before: 'key', after: 'key', effect: 'certificates' },
    { path: 'upstreams.a.tls.ca', kind: 'file', before: 'ca', after: 'ca', effect: 'reload' },
    { path: 'upstreams.a.openapi', kind: 'file', before: 'api.yaml', after: 'api.yaml', effect: 'reload' },
    { path: 'upstreams.ab.tls.ca', kind: 'file', before: 'ca', after: 'ca', effect: 'reload' },
  ])
  const other = { ...input, upstreams: { ab: input.upstreams.ab }, routes: { '/*': { to: 'ab' } } }
  t.strictSame(
    compareConfigurations(before, await configuration(t, other, folder)).map(({ path, kind }) => `${path} ${kind}`),
    ['upstreams.a removed', "routes['/*'].to changed", 'listen[1].tls[0].key file', 'upstreams.ab.tls.ca file'],
  )
})

void test('a hook counts with all that it imports, and wants a restart where one process is all there is', async (t) => {
  const folder = t.testdir({
    'hooks.mjs': "import { a } from './lib/a.mjs'\nexport const tell = () => a, other = tell",
    'unused.mjs': '1',
    lib: { 'a.mjs': "export * from './b.mjs'", 'b.mjs': 'export const a = 1' },
  })
  const input = (hook: string, more = {}) => ({
    routes: { '/*': { to: 'a', transform: { request: { hook } } } },
    ...more,
  })
  const path = "routes['/*'].transform.request.hook"
  const change = (effect: string) => ({ path, kind: 'file', before: './hooks.mjs', after: './hooks.mjs', effect })
  const [alone, many] = [input('./hooks.mjs#tell'), input('./hooks.mjs#tell', { processes: 2 })]
  const before = await configuration(t, alone, folder)
  const beforeOfMany = await configuration(t, many, folder)
  t.strictSame(
    new Set(before.files.map((file) => file.slice(folder.length + 1))),
    new Set(['.env', 'hooks.mjs', 'lib/a.mjs', 'lib/b.mjs']),
    'all are watched',
  )
  writeFileSync(join(folder, 'unused.mjs'), '2')
  t.strictSame(compareConfigurations(before, await configuration(t, alone, folder)), [])
  writeFileSync(join(folder, 'lib', 'b.mjs'), 'export const a = 2')
  t.strictSame(compareConfigurations(before, await configuration(t, alone, folder)), [change('restart')])
  t.strictSame(compareConfigurations(beforeOfMany, await configuration(t, many, folder)), [change('reload')])
  const other = await configuration(t, input('./hooks.mjs#other'), folder)
  t.match(compareConfigurations(before, other), [{ path, kind: 'changed' }, change('restart')], 'by another name too')
})

void test('a configuration is watched with all that it is made of', async (t) => {
  const folder = t.testdir({
    'headrace.config.ts': "import { port } from './ports.ts'\nexport default { listen: { port }, routes: {} }",
    'ports.ts': "import './deeper.ts'\nexport const port = 1",
    'deeper.ts': '',
  })
  const loaded = await loadConfig({ cwd: folder, variables: {} })
  t.ok(loaded.ok)
  const { files } = configurationOf(loaded as Extract<typeof loaded, { ok: true }>)
  t.strictSame(
    new Set(files.map((file) => file.slice(folder.length + 1))),
    new Set(['headrace.config.ts', '.env', 'ports.ts', 'deeper.ts']),
  )
})

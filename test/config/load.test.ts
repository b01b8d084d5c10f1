import { type Test, test } from 'tap'
import { type Loaded, loadConfig, type LoadOptions } from '../../config/load.ts'

const UPSTREAMS = 'upstreams: { a: { targets: ["http://a"] } }'

function load(t: Test, files: Record<string, string>, options: Partial<LoadOptions> = {}): Promise<Loaded> {
  return loadConfig({ cwd: t.testdir(files), variables: {}, ...options })
}

/** The problems of a configuration as `line:column CODE`. */
async function faults(t: Test, files: Record<string, string>, options: Partial<LoadOptions> = {}): Promise<string[]> {
  const loaded = await load(t, files, options)
  return loaded.ok
    ? []
    : loaded.problems.map(({ line, column, code }) => `${line}:${column} ${code.replace('HR_CONFIG_', '')}`)
}

async function valid(t: Test, files: Record<string, string>, options: Partial<LoadOptions> = {}) {
  const loaded = await load(t, files, options)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  return loaded.config
}

void test('the same configuration is read from YAML, JSON, TypeScript and JavaScript', async (t) => {
  const data = { listen: { port: 1234 }, upstreams: { a: { targets: ['http://a'] } }, routes: { '/*': { to: 'a' } } }
  const json = JSON.stringify(data)
  const texts: Record<string, string> = {
    'headrace.config.yaml': `listen: { port: 1234 }\n${UPSTREAMS}\nroutes:\n  /*: { to: a }\n`,
    'headrace.config.yml': json,
    'headrace.config.json': `\uFEFF${json}`,
    'headrace.config.ts': `import { defineConfig } from 'headrace'\nconst data = ${json} as const\nexport default defineConfig(data satisfies object)\n`,
    'headrace.config.js': `export default ${json}`,
    'headrace.config.mjs': `import { defineConfig } from 'headrace'\nexport default defineConfig(${json})`,
  }
  for (const [name, text] of Object.entries(texts)) {
    const config = await valid(t, { [name]: text })
    t.match(
      config,
      { listen: [{ port: 1234 }], upstreams: [{ name: 'a', targets: [{ url: 'http://a' }] }], routes: [{ key: '/*' }] },
      name,
    )
    t.match(config.file, name)
  }
})

void test('no file, two files, a missing one, an unknown kind and one too large are said so', async (t) => {
  t.same(await faults(t, {}), ['null:null NOT_FOUND'])
  t.same(await faults(t, { 'headrace.config.ts': '', 'headrace.config.json': '{}' }), ['null:null AMBIGUOUS'])
  t.same(await faults(t, {}, { file: 'x.yaml' }), ['null:null NOT_FOUND'])
  t.same(await faults(t, { 'x.toml': '' }, { file: 'x.toml' }), ['null:null UNREADABLE'])
  t.same(await faults(t, { 'x.yaml': ' '.repeat(2 ** 20 + 1) }, { file: 'x.yaml' }), ['null:null UNREADABLE'])
})

void test('the command line goes over the environment over .env over the file over the default', async (t) => {
  const files = { 'headrace.config.yaml': 'listen: [{ port: 1 }, { port: 7 }]', '.env': 'PORT=2\nHOST=::1' }
  const port = async (options: Partial<LoadOptions>): Promise<unknown> =>
    (await valid(t, files, options)).listen[0]?.port
  t.equal((await valid(t, { 'headrace.config.yaml': '' })).listen[0]?.port, 8080)
  t.equal(await port({}), 2)
  t.equal(await port({ variables: { PORT: '3' } }), 3)
  t.equal(await port({ variables: { PORT: '' } }), 2, 'empty counts as not set')
  t.equal(await port({ variables: { PORT: '3' }, flags: { port: '4' } }), 4)
  const config = await valid(t, files)
  t.match(config.listen, [{ host: '::1', port: 2 }, { port: 7 }])
})

void test('well-known variables set what the table says', async (t) => {
  const variables = { HTTP_MAX_CONNECTIONS: '7', HEADRACE_ADMIN_TOKEN: 'secret', LOG_LEVEL: 'silent' }
  const text = `upstreams: { a: { targets: ["http://a"] }, b: { targets: ["http://a"], connections: 9 } }`
  const config = await valid(t, { 'headrace.config.yaml': text }, { variables })
  t.match(config, { admin: { token: 'secret' }, log: { level: 'silent' } })
  t.same(
    config.upstreams.map(({ connections }) => connections),
    [7, 9],
  )
  const off = await valid(t, { 'headrace.config.yaml': 'admin: false' }, { variables })
  t.equal(off.admin, null, 'a token does not switch the control plane on')
})

void test('a faulty variable or option is named by where it comes from', async (t) => {
  const files = { 'headrace.config.yaml': 'listen: { port: 1 }', '.env': 'LOG_LEVEL=loud' }
  const loaded = await load(t, files, { variables: { PORT: 'x' }, flags: { processes: '0' } })
  t.match(!loaded.ok && loaded.problems.map(({ source, line }) => [source, line]), [
    ['PORT (environment)', null],
    ['--processes', null],
    ['LOG_LEVEL (.env)', null],
  ])
})

void test('a configuration without a file gets the environment and the command line too', async (t) => {
  const inline = { upstreams: { a: { targets: ['http://a'] } } }
  const config = await valid(t, {}, { inline, variables: { PORT: '5' }, flags: { host: '::1' } })
  t.match(config, { file: null, listen: [{ host: '::1', port: 5 }] })
})

void test('problems come in the order of the file, each once', async (t) => {
  const yaml = `routes:\n  /a: { to: b }\nlog: { levl: 1 }\nlistn: 1\n${UPSTREAMS}\n`
  t.same(await faults(t, { 'headrace.config.yaml': yaml }), [
    '2:13 TARGET_UNKNOWN',
    '3:8 UNKNOWN_KEY',
    '4:1 UNKNOWN_KEY',
  ])
})

void test('Redis comes from the environment; a faulty URL is not repeated', async (t) => {
  const variables = {
    REDIS_URL: 'redis://:hunter2@cache:6380/1',
    REDIS_MAX_CONNECTIONS: '7',
    ENABLE_MEMORY_CACHE: 'false',
    ENABLE_REDIS_CACHE: 'false',
  }
  const config = await valid(t, {}, { inline: {}, variables })
  t.match(config.redis, { password: 'hunter2', maxConnections: 7, topology: { node: { host: 'cache', port: 6380 } } })
  t.match(config.cache, { memory: { enabled: false }, redis: { enabled: false } })
  const faulty = await load(t, {}, { inline: {}, variables: { REDIS_URL: 'http://:hunter2@cache' } })
  t.equal(faulty.ok, false)
  t.match(!faulty.ok && faulty.problems[0], { path: 'redis.url', source: 'REDIS_URL (environment)' })
  t.notMatch(JSON.stringify(faulty), 'hunter2')
})

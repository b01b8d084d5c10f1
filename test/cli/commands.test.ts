import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'tap'
import { loadConfig } from '../../config/load.ts'
import { configurationFor } from '../../cli/proxy.ts'
import { writeCertificate } from '../certificate.ts'
import { headrace } from './command-line.ts'

const GOOD = `admin: { token: hunter2 }
upstreams:
  fleet: { targets: ['http://127.0.0.1:4001'] }
routes:
  /api/*: { to: fleet, stripPrefix: true }
  GET /vehicles/:id: { to: fleet, rewrite: '/api/vehicles/:id' }
  GET,HEAD *.example.com/v1/*: { to: fleet }
`
const BAD = `log: { levl: debug }
upstreams:
  fleet: { targets: ['http://a'], keepAlive: 30 }
`

void test('check says that all is well, or everything that is not', async (t) => {
  const cwd = t.testdir({ 'headrace.config.yaml': GOOD, 'bad.yaml': BAD })
  t.same(await headrace(cwd, ['check']), {
    code: 0,
    out: '✔ headrace.config.yaml is valid: 1 listener, 1 upstream, 3 routes\n',
    err: '',
  })
  const bad = await headrace(cwd, ['check', '--config', 'bad.yaml'])
  t.equal(bad.code, 1)
  t.equal(bad.out, '')
  t.equal(
    bad.err,
    `bad.yaml:1:8 log.levl
  unknown property 'levl' HR_CONFIG_UNKNOWN_KEY
  1 │ log: { levl: debug }
    │        ^^^^ did you mean level?

bad.yaml:3:46 upstreams.fleet.keepAlive
  expected a duration such as '500ms', '30s' or '5m', got 30 HR_CONFIG_UNIT
  3 │   fleet: { targets: ['http://a'], keepAlive: 30 }
    │                                              ^^ did you mean '30s'?

✖ 2 problems
`,
  )
  const json = JSON.parse((await headrace(cwd, ['check', '-c', 'bad.yaml', '--json'])).out)
  t.match(json, { ok: false, problems: [{ code: 'HR_CONFIG_UNKNOWN_KEY', line: 1, suggestion: 'level' }, {}] })
  t.match(await headrace(cwd, ['check', '--port', '99999']), { code: 1, err: /^--port listen\.port\n/ })
})

void test('check notes what is valid, and seldom meant', async (t) => {
  const cwd = t.testdir({
    'headrace.config.yaml': "upstreams: { a: { targets: ['http://a'] } }\nroutes: { 'api/*': { to: a } }\n",
    'empty.yaml': '',
    'methods.yaml':
      "upstreams: { a: { targets: ['http://a'] } }\nroutes: { 'GTE /x': { to: a }, 'GET,PROPFIND /y': { to: a } }\n",
  })
  const host = await headrace(cwd, ['check'])
  t.equal(host.code, 0)
  t.match(host.out, "\n  note the route 'api/*' takes the host 'api' alone: a path begins with a slash, '/api/*'\n")
  const methods = await headrace(cwd, ['check', '-c', 'methods.yaml'])
  t.match(
    methods.out,
    "\n  note the route 'GTE /x' names a method that no HTTP/1.1 client can send here, GTE; did you mean GET?\n",
  )
  t.notMatch(methods.out, 'PROPFIND')
  t.match(await headrace(cwd, ['check', '-c', 'empty.yaml']), { code: 0, out: /\n {2}note there are no routes/ })
  t.match((await headrace(cwd, ['explain', '/b/../c'])).out, /\nread as {2}\/c\n/)
  t.match(await headrace(cwd, ['explain', '/api/x']), { code: 0, out: /\nAnother host\? .* --host NAME\n/ })
})

void test('print shows a configuration that means the same, without its secrets', async (t) => {
  const cwd = t.testdir({ 'headrace.config.yaml': `${GOOD}dataDir: '$$\{HOME}'\n` })
  const { code, out } = await headrace(cwd, ['print'])
  t.equal(code, 0)
  t.notMatch(out, 'hunter2')
  t.match(out, 'token: "[redacted]"')
  t.match(out, 'firstByte: 10s')
  mkdirSync(join(cwd, 'again'))
  writeFileSync(join(cwd, 'again', 'headrace.config.yaml'), out)
  t.equal((await headrace(join(cwd, 'again'), ['print'])).out, out)
  t.match(JSON.parse((await headrace(cwd, ['print', '--json'])).out), { processes: 1 })
  t.match(JSON.parse((await headrace('/', ['print', '--schema'])).out), { $schema: /json-schema/, type: 'object' })
  t.match(await headrace('/nonexistent', ['print']), { code: 1, out: '', err: /HR_CONFIG_NOT_FOUND/ })
})

void test('explain follows a request to its upstream, and says why other routes lose', async (t) => {
  const cwd = t.testdir({ 'headrace.config.yaml': GOOD })
  const explain = async (...args: string[]) => JSON.parse((await headrace(cwd, ['explain', '--json', ...args])).out)
  t.match(await explain('GET', '/api/x/../vehicles/7?x=1'), {
    outcome: 'proxied',
    canonicalPath: '/api/vehicles/7',
    route: '/api/*',
    upstream: { name: 'fleet' },
    sent: { method: 'GET', path: '/vehicles/7?x=1', host: '127.0.0.1:4001' },
    routes: [{ verdict: 'wins' }, { verdict: 'path differs' }, { verdict: 'host differs' }],
  })
  t.match(await explain('/vehicles/7'), { route: 'GET /vehicles/:id', sent: { path: '/api/vehicles/7' } })
  t.match(await explain('/v1/a', '--host', 'A.example.com:80'), { route: 'GET,HEAD *.example.com/v1/*' })
  t.match(await explain('/v1/a', '-H', 'Host: b.example.com'), { outcome: 'proxied' })
  t.match(await explain('https://c.example.com/v1/a'), { outcome: 'proxied' })
  t.match(await explain('POST', '/vehicles/7'), { outcome: 'method not allowed', answer: { status: 405 } })
  t.match(await explain('/nothing'), { outcome: 'not found', answer: { status: 404 } })
  t.match(await explain('/health'), { outcome: 'own' })
  t.match(await explain('/metrics'), { outcome: 'not found' }, 'the control plane is elsewhere')
  t.match(await explain('/a%zz'), { outcome: 'refused', answer: { status: 400 } })
  const { out } = await headrace(cwd, ['explain', '/api/a'])
  t.match(out, /route {5}\/api\/\*/)
  t.match(out, /upstream {2}fleet \(http:\/\/127\.0\.0\.1:4001\)/)
})

void test('an address stands for a configuration', async (t) => {
  const none = { text: () => undefined }
  const targetOf = (address: string): unknown => {
    const { upstreams, routes } = configurationFor(address, none) as {
      upstreams: { service: { targets: string[] } }
      routes: object
    }
    return [upstreams.service.targets[0], Object.values(routes)[0].rewrite ?? null]
  }
  t.same(targetOf('http://localhost:3000'), ['http://localhost:3000', null])
  t.same(targetOf('3000'), ['http://localhost:3000', null])
  t.same(targetOf(':3000/'), ['http://localhost:3000', null])
  t.same(targetOf('box:3000/api/'), ['http://box:3000', '/api/*'])
  t.same(targetOf('unix:/run/x.sock'), ['unix:/run/x.sock', null])
  t.match(configurationFor('3000', none), { routes: { '/*': { cache: true } } })
})

void test('--save writes what it serves, and never over another configuration', async (t) => {
  // The port is taken, so that the command ends after it has written.
  const blocker = createServer().listen(0, '127.0.0.1')
  await once(blocker, 'listening')
  t.teardown(() => blocker.close())
  const port = String((blocker.address() as AddressInfo).port)
  for (const format of ['yaml', 'ts']) {
    const cwd = t.testdir({})
    const args = [
      'http://localhost:3000/it',
      '--port',
      port,
      '--admin-port',
      '0',
      '--log-level',
      'silent',
      '--save',
      '--format',
      format,
    ]
    const first = await headrace(cwd, args)
    t.match(first, {
      code: 1,
      err: new RegExp(`Wrote headrace.config.${format}.*\\n.*Port ${port} on 127.0.0.1 is taken`),
    })
    const written = readFileSync(join(cwd, `headrace.config.${format}`), 'utf8')
    t.match(await headrace(cwd, ['check']), { code: 0 })
    t.match(await headrace(cwd, ['explain', '/a']), { out: /GET \/it\/a/ })
    t.match(await headrace(cwd, ['print']), { out: /cache:\n +profile: secure/ }, 'the origin’s rules alone')
    t.match(await headrace(cwd, args), { code: 1, err: /--save overwrites nothing/ })
    t.equal(readFileSync(join(cwd, `headrace.config.${format}`), 'utf8'), written)
  }
})

void test('check looks at certificates and their keys', async (t) => {
  const cwd = t.testdir({})
  await writeCertificate(cwd)
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  writeFileSync(join(cwd, 'other.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const write = (pem: string): void =>
    writeFileSync(
      join(cwd, 'headrace.config.yaml'),
      `listen: { tls: { cert: test.crt, key: ${pem} } }\nupstreams: {}\n`,
    )
  write('other.key')
  t.match(await headrace(cwd, ['check']), { code: 1, err: /headrace\.config\.yaml listen\n.* HR_TLS_KEY_MISMATCH\n/ })
  t.match(JSON.parse((await headrace(cwd, ['check', '--json'])).out), { ok: false, problems: [{ path: 'listen' }] })
  write('test.key')
  t.match(await headrace(cwd, ['check']), { code: 0 })
})

void test('check looks at the documents in files that routes go by', async (t) => {
  const document = (text: string): string => `{ "openapi": "3.1.0", "info": {}, ${text}`
  const cwd = t.testdir({ 'good.json': document('"paths": {} }'), 'cut.json': document('') })
  const write = (mocked: string): void =>
    writeFileSync(
      join(cwd, 'headrace.config.yaml'),
      `upstreams: { a: { targets: ['http://10.0.0.5'], openapi: ${mocked} } }\n` +
        `routes:\n  /m: { mock: ${mocked} }\n  /v: { to: a, validate: true }\n  /n: { to: a, validate: { document: good.json } }\n`,
    )
  write('cut.json')
  const { out } = await headrace(cwd, ['check', '--json'])
  t.match(JSON.parse(out), {
    ok: false,
    problems: [
      { path: "routes['/m'].mock", code: 'HR_OPENAPI_FILE', message: /cut\.json, .* '\/m' goes, cannot be parsed: / },
      { path: "routes['/v'].validate", code: 'HR_OPENAPI_FILE' },
    ],
  })
  t.equal(JSON.parse(out).problems.length, 2)
  write('good.json')
  t.match(await headrace(cwd, ['check']), { code: 0 })
})

void test('a gateway is not put before itself', async (t) => {
  const cwd = t.testdir({})
  for (const args of [
    ['localhost:8080'],
    ['http://127.0.0.1:9001', '--port', '9001', '--save'],
    ['http://10.0.0.5', '--host', '10.0.0.5', '--port', '80'],
    ['http://[::1]:9001', '--host', '::', '--port', '9001'],
    ['http://[2001:db8::5]:9001', '--host', '2001:db8::5', '--port', '9001'],
  ]) {
    t.match(await headrace(cwd, args), {
      code: 2,
      err: /the gateway itself would listen at http:.*another port, --port/,
    })
  }
  t.strictSame(readdirSync(cwd), [])
})

void test('the same port of another address is not its own', async (t) => {
  // An address that no machine has, so that it listens nowhere.
  const { code, err } = await headrace(t.testdir({}), ['localhost:8080', '--host', '192.0.2.1', '--admin-port', '0'])
  t.equal(code, 1)
  t.match(err, 'Cannot listen on 192.0.2.1')
})

void test('--save where nothing can be written says so', async (t) => {
  const { code, err } = await headrace(join(t.testdir({}), 'gone'), ['http://localhost:3000', '--save'])
  t.equal(code, 1)
  t.match(
    err,
    /^error headrace\.config\.yaml cannot be written \(ENOENT: .*\): run it in another folder, or without --save$/m,
  )
  t.notMatch(err, /^ {4}at /m)
})

void test('--tls gives the first listener a certificate made for development', async (t) => {
  const cwd = t.testdir({
    'headrace.config.yaml': 'listen: [{ port: 0 }, { port: 0 }]\nupstreams: {}\n',
  })
  const loaded = await loadConfig({ cwd, variables: {}, flags: { tls: 'development' } })
  t.same(loaded.ok && loaded.config.listen.map(({ tls }) => tls), ['development', null])
  const alone = await loadConfig({ cwd, variables: {}, inline: {}, flags: { tls: 'development' } })
  t.same(alone.ok && alone.config.listen.map(({ tls }) => tls), ['development'])
})

void test('openapi merges the specification of an upstream at its own paths', async (t) => {
  const origin = createServer((_request, response) => {
    response.end(
      JSON.stringify({
        openapi: '3.1.0',
        info: { title: 'Fleet', version: '1' },
        paths: { '/cars': { get: { responses: {} } } },
      }),
    )
  }).listen(0, '127.0.0.1')
  await once(origin, 'listening')
  t.teardown(() => origin.close())
  const { port } = origin.address() as AddressInfo
  const config = (target: number): string =>
    `upstreams: { fleet: { targets: ['http://127.0.0.1:${target}'], openapi: /openapi.json } }\nroutes:\n  /api/*: { to: fleet, stripPrefix: true }\n`
  const cwd = t.testdir({ 'headrace.config.yaml': config(port), 'gone.yaml': config(1) })
  const { code, out } = await headrace(cwd, ['openapi'])
  t.equal(code, 0)
  t.strictSame(Object.keys(JSON.parse(out).paths).sort(), ['/api/cars', '/health', '/ready'])
  const gone = await headrace(cwd, ['openapi', '-c', 'gone.yaml', '--yaml'])
  t.match(gone, { code: 1, out: /openapi: 3\.1\.0/, err: /warning upstream 'fleet': .*HR_OPENAPI_UNAVAILABLE/ })
})

import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { generate } from 'selfsigned'
import { test, type Test } from 'tap'
import { PATIENCE } from '../helper.ts'
import { connectRaw } from '../raw-client.ts'
import { startUpstream } from '../upstream-server.ts'
import { reloadable, to } from './reloadable.ts'

const say = (text: string) => (exchange: { respond(status: number, fields: [], body: string): unknown }) =>
  exchange.respond(200, [], text)

const HEAD = 'Host: a.test\r\n\r\n'

void test('what is in flight is finished as it began, on connections that stay; what comes next goes by the new rules', {
  timeout: PATIENCE,
}, async (t) => {
  const release = Promise.withResolvers<void>()
  const one = await startUpstream(t, async (exchange) => {
    await release.promise
    await exchange.respond(200, [], 'one')
  })
  const two = await startUpstream(t, say('two'))
  const gateway = await reloadable(t, { upstreams: { a: to(one.origin) }, routes: { '/*': { to: 'a' } } })
  const [busy, idle, h2] = [await gateway.raw(), await gateway.raw(), await gateway.client('h2c')]
  t.equal((await idle.exchange(`GET /health HTTP/1.1\r\n${HEAD}`)).status, 200)
  const slow = [busy.exchange(`GET /slow HTTP/1.1\r\n${HEAD}`), h2.request({ path: '/slow' })]
  await one.received(2)

  const next = { upstreams: { b: to(two.origin) }, routes: { '/*': { to: 'b' } } }
  t.match(await gateway.reload(next), {
    outcome: 'reloaded',
    version: 2,
    changes: [
      { path: 'upstreams.a', kind: 'removed' },
      { path: 'upstreams.b', kind: 'added', before: null, after: { targets: [two.origin] } },
      { path: "routes['/*'].to", kind: 'changed', before: 'a', after: 'b', effect: 'reload' },
    ],
  })
  t.equal(String((await idle.exchange(`GET / HTTP/1.1\r\n${HEAD}`)).body), 'two', 'on a connection from before')
  t.equal(String((await h2.request({ path: '/' })).body), 'two', 'beside a stream from before')
  t.equal(one.connections.filter(({ left }) => left !== undefined).length, 0, 'pools with requests stay')
  release.resolve()
  t.strictSame(
    (await Promise.all(slow)).map(({ body }) => String(body)),
    ['one', 'one'],
  )
  await Promise.all([one.closed(0), one.closed(1)])
  t.equal(String((await busy.exchange(`GET / HTTP/1.1\r\n${HEAD}`)).body), 'two', 'and so does its own connection')
  t.equal(one.requests.length, 2)
})

void test('connections, counters and the cache survive where what they belong to stays', {
  timeout: PATIENCE,
}, async (t) => {
  const origin = await startUpstream(t, (exchange) => exchange.respond(200, [['Cache-Control', 'max-age=600']], 'x'))
  const base = { upstreams: { a: to(origin.origin) } }
  const routes = { '/cached/*': { to: 'a', cache: true }, '/live/*': { to: 'a' } }
  const gateway = await reloadable(t, { ...base, routes })
  await gateway.get('/cached/1')
  await gateway.get('/live/1')
  t.match(await gateway.reload({ ...base, routes: { ...routes, '/more': { to: 'a' } }, serverTiming: false }), {
    outcome: 'reloaded',
  })
  await gateway.get('/cached/1')
  await gateway.get('/live/2')
  t.strictSame(
    origin.requests.map(({ target }) => target),
    ['/cached/1', '/live/1', '/live/2'],
    'the second was answered from the store',
  )
  t.equal(origin.connections.length, 1)
  const { control } = gateway.running
  t.match((await control.ask('pools')).result, [{ attempts: 3, connections: { connected: 1 } }])
  t.match((await control.ask('cache')).result, { requests: { hits: 1, misses: 1, stores: 1 }, memory: { entries: 1 } })
  const families = (await control.ask('metrics')).result
  const requests = families.find(({ name }) => name === 'headrace_requests_total')?.values ?? []
  t.equal(requests.filter(({ labels }) => labels.route === '/live/*').at(0)?.value, 2)
  t.equal(families.find(({ name }) => name === 'headrace_config_version')?.values[0]?.value, 2)

  // An upstream that changes has new connections; the cache with other settings begins anew.
  const changed = {
    upstreams: { a: to(origin.origin, { connections: 7 }) },
    routes,
    cache: { disk: { enabled: false } },
  }
  await gateway.reload(changed)
  await gateway.get('/live/3')
  t.not(origin.requests.at(-1)?.connection, 0)
  await gateway.get('/cached/1')
  t.equal(origin.requests.at(-1)?.target, '/live/3', 'how many connections there are does not matter to what is stored')
  await gateway.reload({ ...changed, cache: { disk: { enabled: false }, memory: { entries: 9 } } })
  await gateway.get('/cached/1')
  t.equal(origin.requests.at(-1)?.target, '/cached/1')
})

void test('no reload serves what looser rules have stored', { timeout: PATIENCE }, async (t) => {
  const origin = await startUpstream(t, (exchange) => exchange.respond(200, [['Cache-Control', 'max-age=600']], 'x'))
  const loose = { to: 'a', cache: { ttl: '1h' } }
  const base = { upstreams: { a: to(origin.origin) }, routes: { '/*': loose } }
  const stricter: [why: string, input: Record<string, unknown>][] = [
    [
      'a field that belongs to the key',
      { ...base, routes: { '/*': { ...loose, cache: { varyBy: { headers: ['x-a'] } } } } },
    ],
    [
      'what clients are told',
      { ...base, routes: { '/*': { ...loose, cache: { ttl: '1h', send: { cacheControl: 'no-cache' } } } } },
    ],
    ['whose word on the client is taken', { ...base, forwarded: { trust: ['10.0.0.1'] } }],
    ['how the path is sent', { ...base, routes: { '/*': { ...loose, rewrite: '/v2/*' } } }],
    ['which host is named', { ...base, upstreams: { a: to(origin.origin, { host: 'preserve' }) } }],
  ]
  // Beside what is asked whether it is there, when an upstream has changed.
  const asked = (): number => origin.requests.filter(({ method }) => method === 'GET').length
  const gateway = await reloadable(t, base)
  await gateway.get('/x')
  for (const [index, [why, input]] of stricter.entries()) {
    t.match(await gateway.reload(input), { outcome: 'reloaded' })
    await gateway.get('/x')
    t.equal(asked(), index + 2, why)
    await gateway.get('/x')
    t.equal(asked(), index + 2, 'and from then on by the new ones')
  }
})

void test('what is faulty, or cannot be had while it runs, changes nothing and is told', {
  timeout: PATIENCE,
}, async (t) => {
  const origin = await startUpstream(t, say('as before'))
  const base = { upstreams: { a: to(origin.origin) }, routes: { '/*': { to: 'a' } } }
  const gateway = await reloadable(t, base)
  const config = async () => (await gateway.running.control.ask('config')).result
  t.match(await config(), { version: 1, trigger: 'start', source: null, watching: false, lastFailure: null })

  t.match(await gateway.reload({ ...base, routes: { '/*': { to: 'b' }, '/y': { too: 'a' } } }), {
    outcome: 'refused',
    version: 1,
    failure: {
      code: 'HR_RELOAD_INVALID',
      status: 422,
      message: /^The configuration has 3 problems;/,
      problems: [{ code: /^HR_CONFIG/ }, {}, {}],
    },
  })
  t.match(
    await gateway.reload({ ...base, listen: { port: 1, h2c: true }, limits: { headerCount: 9, bodySize: '1KiB' } }),
    {
      outcome: 'refused',
      failure: {
        code: 'HR_RELOAD_RESTART_NEEDED',
        status: 409,
        message: /^Restart needed for listen\.port, limits\.headerCount;/,
        changes: [
          { path: 'listen.port' },
          { path: 'limits.headerCount' },
          { path: 'limits.bodySize', effect: 'reload' },
        ],
      },
    },
  )
  t.match(await config(), {
    version: 1,
    operation: null,
    reloads: { succeeded: 0, failed: 2 },
    lastFailure: { code: 'HR_RELOAD_RESTART_NEEDED', trigger: 'request' },
    settings: { admin: { token: '[redacted]' } },
  })
  t.strictSame(await gateway.get('/x'), { status: 200, body: 'as before' })

  gateway.write({ ...base, limits: { bodySize: '1KiB' } })
  t.match((await gateway.running.control.ask('config-preview')).result, {
    valid: true,
    version: 1,
    changes: [{ path: 'limits.bodySize', before: '1GiB', after: '1KiB' }],
  })
  t.match(await gateway.running.reload(), { outcome: 'reloaded', version: 2 })
  const raw = await gateway.raw()
  const large = await raw.exchange(`POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2000\r\n\r\n${'x'.repeat(2000)}`)
  t.equal(large.status, 413)
  t.match(await config(), { version: 2, lastFailure: null, reloads: { succeeded: 1, failed: 2 } })
  t.match(await gateway.running.reload(), { outcome: 'unchanged', version: 2, changes: [] })
})

void test('a hook that has changed, or what it imports, waits for a restart where one process is all there is', {
  timeout: PATIENCE,
}, async (t) => {
  const origin = await startUpstream(t, (exchange) => exchange.respond(200, [], exchange.request.get('x-by') ?? ''))
  const folder = t.testdir({
    'hooks.mjs': "import { by } from './by.mjs'\nexport const tell = () => ({ headers: { 'x-by': by } })",
    'by.mjs': "export const by = 'one'",
  })
  const base = {
    upstreams: { a: to(origin.origin) },
    routes: { '/*': { to: 'a', transform: { request: { hook: './hooks.mjs#tell' } } } },
  }
  const gateway = await reloadable(t, base, folder)
  const refused = {
    outcome: 'refused',
    failure: {
      code: 'HR_RELOAD_RESTART_NEEDED',
      status: 409,
      message: /^Restart needed for routes\['\/\*'\]\.transform/,
    },
  }
  writeFileSync(join(folder, 'by.mjs'), "export const by = 'two'")
  t.match((await gateway.running.control.ask('config-preview')).result, {
    changes: [{ kind: 'file', effect: 'restart' }],
  })
  t.match(await gateway.running.reload(), refused)
  t.equal((await gateway.get('/')).body, 'one')
  // Under another file that imports the same, Node would have its old code.
  writeFileSync(join(folder, 'more.mjs'), "export * from './hooks.mjs'")
  const more = { ...base, routes: { '/*': { to: 'a', transform: { request: { hook: './more.mjs#tell' } } } } }
  t.match(await gateway.reload(more), {
    outcome: 'refused',
    failure: {
      code: 'HR_TRANSFORM_HOOK_OUTDATED',
      status: 409,
      message: /'by\.mjs', which has changed .*: restart needed/,
    },
  })
  writeFileSync(join(folder, 'by.mjs'), "export const by = 'one'")
  t.match(await gateway.reload(base), { outcome: 'unchanged' }, 'taken back')
  writeFileSync(join(folder, 'hooks.mjs'), 'export const tell = () => undefined')
  t.match(await gateway.running.reload(), refused)
  t.equal((await gateway.get('/')).body, 'one')
})

/** The common name that the server shows, and the connection. */
async function handshake(t: Test, port: number): Promise<{ name: string; socket: TLSSocket }> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] })
  t.teardown(() => socket.destroy())
  await once(socket, 'secureConnect')
  return { name: String(socket.getPeerCertificate().subject.CN), socket }
}

void test('certificates are read again, alone or with the rest; one that is broken keeps all of it back', {
  timeout: PATIENCE,
}, async (t) => {
  const origin = await startUpstream(t, say('x'))
  const folder = t.testdir()
  const files = { cert: join(folder, 'a.crt'), key: join(folder, 'a.key') }
  const certify = async (name: string): Promise<void> => {
    const { cert, private: key } = await generate([{ name: 'commonName', value: name }], { keyType: 'ec' })
    writeFileSync(files.cert, cert)
    writeFileSync(files.key, key)
  }
  await certify('first')
  const listen = { port: 0, tls: files }
  const base = { listen, upstreams: { a: to(origin.origin) }, routes: { '/x': { to: 'a' } } }
  const gateway = await reloadable(t, base, folder)
  const { name, socket } = await handshake(t, gateway.port)
  t.equal(name, 'first')

  await certify('second')
  t.match(await gateway.running.reload(), {
    outcome: 'reloaded',
    changes: [
      { path: 'listen.tls.cert', kind: 'file', effect: 'certificates' },
      { path: 'listen.tls.key', kind: 'file', effect: 'certificates' },
    ],
  })
  t.equal((await handshake(t, gateway.port)).name, 'second')

  writeFileSync(files.cert, 'broken')
  const more = { ...base, routes: { '/x': { to: 'a' }, '/y': { to: 'a' } } }
  t.match(await gateway.reload(more), { outcome: 'refused', failure: { code: 'HR_TLS_CERTIFICATE_INVALID' } })
  t.match(await gateway.reload(base), { outcome: 'refused', failure: { code: 'HR_TLS_CERTIFICATE_INVALID' } })
  t.equal((await handshake(t, gateway.port)).name, 'second')
  const pair = readFileSync(files.key)
  await certify('another')
  writeFileSync(files.key, pair)
  const failure = { code: 'HR_TLS_KEY_MISMATCH', status: 422, message: /a\.key does not belong to the certificate/ }
  t.match(await gateway.running.reload(), { outcome: 'refused', failure })
  t.match((await gateway.running.control.ask('config-preview')).result, { valid: false, failure })
  t.equal((await handshake(t, gateway.port)).name, 'second')
  await certify('third')
  t.match(await gateway.reload(more), { outcome: 'reloaded', version: 3 })
  const third = await handshake(t, gateway.port)
  t.equal(third.name, 'third')
  third.socket.write(`GET /y HTTP/1.1\r\n${HEAD}`)
  t.match(String((await once(third.socket, 'data'))[0]), /^HTTP\/1\.1 200 /)
  socket.write(`GET /y HTTP/1.1\r\n${HEAD}`)
  t.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 200 /, 'a connection from before keeps its own')

  const { tls: _, ...plain } = listen
  t.match(await gateway.reload({ ...more, listen: plain }), {
    outcome: 'refused',
    failure: { code: 'HR_RELOAD_RESTART_NEEDED', message: /^Restart needed for listen\.tls;/ },
  })
})

void test('a document that is none, of a file that a route goes by, keeps a reload back', {
  timeout: PATIENCE,
}, async (t) => {
  const folder = t.testdir()
  const file = join(folder, 'openapi.json')
  const write = (more: string): void => {
    const response = '{ "description": "", "content": { "text/plain": { "example": "mocked" } } }'
    const paths = `{ "/m": { "get": { "responses": { "200": ${response} } } } }`
    writeFileSync(file, `{ "openapi": "3.1.0", "info": { "title": "a", "version": "1" }, "paths": ${paths}${more}`)
  }
  write('}')
  const base = { upstreams: {}, routes: { '/m': { mock: file } } }
  const gateway = await reloadable(t, base, folder)
  t.strictSame(await gateway.get('/m'), { status: 200, body: 'mocked' })
  write('')
  t.match(await gateway.running.reload(), {
    outcome: 'refused',
    version: 1,
    failure: {
      code: 'HR_OPENAPI_FILE',
      status: 422,
      message: /openapi\.json, by which the route '\/m' goes, cannot be/,
    },
  })
  t.match((await gateway.running.control.ask('config-preview')).result, { valid: false })
  t.strictSame(await gateway.get('/m'), { status: 200, body: 'mocked' }, 'what runs goes on')
  write(', "tags": [] }')
  t.match(await gateway.running.reload(), { outcome: 'reloaded', version: 2 })
})

void test("an upstream's document that cannot be had just then is the one from before, where the upstream stays", {
  timeout: PATIENCE,
}, async (t) => {
  const responses = { 200: { description: '', content: { 'text/plain': {} } } }
  const id = { name: 'id', in: 'path', required: true, schema: { type: 'integer' } }
  const document = {
    openapi: '3.1.0',
    info: { title: 'orders', version: '1' },
    paths: { '/orders/{id}': { get: { parameters: [id], responses } } },
  }
  let isGiven = true
  const serving = () =>
    startUpstream(t, async (exchange) => {
      const isDocument = exchange.request.target === '/openapi.json'
      if (!isDocument) await exchange.respond(200, [['Content-Type', 'text/plain']], 'x')
      else if (isGiven) await exchange.respond(200, [], JSON.stringify(document))
      else await exchange.respond(503, [], 'not now')
    })
  const [one, two] = [await serving(), await serving()]
  const routes = { '/orders/*': { to: 'a', validate: true } }
  const base = { upstreams: { a: to(one.origin, { openapi: '/openapi.json' }) }, routes }
  const gateway = await reloadable(t, base)
  const statuses = async (): Promise<number[]> => [
    (await gateway.get('/orders/7')).status,
    (await gateway.get('/orders/seven')).status,
  ]
  const merged = async (): Promise<string[]> =>
    Object.keys((JSON.parse((await gateway.get('/openapi.json')).body) as { paths: object }).paths)
  t.strictSame(await statuses(), [200, 400])
  t.ok((await merged()).includes('/orders/{id}'))

  isGiven = false
  for (const [index, more] of [{ serverTiming: false }, { serverTiming: true }].entries()) {
    t.match(await gateway.reload({ ...base, ...more }), { outcome: 'reloaded', version: index + 2 })
    t.strictSame(await statuses(), [200, 400], `it is handed on ${index + 1} times`)
    t.ok((await merged()).includes('/orders/{id}'))
  }
  // What another server would say of itself nobody knows.
  await gateway.reload({ ...base, upstreams: { a: to(two.origin, { openapi: '/openapi.json' }) } })
  t.strictSame(await statuses(), [503, 503])
})

void test('the request that asks for a reload is answered, and the control plane goes by the new configuration', {
  timeout: PATIENCE,
}, async (t) => {
  const origin = await startUpstream(t, say('x'))
  const base = { upstreams: { a: to(origin.origin) }, routes: { '/x': { to: 'a' } } }
  for (const shared of [true, false]) {
    const admin = { ...(!shared && { port: 0 }), shared }
    const gateway = await reloadable(t, { ...base, admin: { ...admin, token: 'one' } })
    const port = Number(new URL(gateway.running.addresses.at(-1)!.url).port)
    const ask = async (method: string, path: string, token: string) => {
      const raw = await connectRaw(t, { port })
      const head = `Host: a.test\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n\r\n`
      const { status, body } = await raw.exchange(`${method} /performance/${path} HTTP/1.1\r\n${head}`)
      return { status, ...JSON.parse(String(body)) }
    }
    gateway.write({ ...base, admin: { ...admin, token: 'two' } })
    t.match(await ask('GET', 'config/diff', 'one'), {
      status: 200,
      changes: [{ path: 'admin.token', before: '[redacted]', after: '[redacted]' }],
    })
    t.match(await ask('POST', 'config/reload', 'one'), { status: 200, outcome: 'reloaded', version: 2 })
    t.match(await ask('GET', 'config', 'one'), { status: 401 })
    t.match(await ask('GET', 'config', 'two'), { status: 200, version: 2, trigger: 'request' })
    gateway.write({ ...base, admin: { ...admin, token: 'two' }, routes: { '/x': { to: 'b' } } })
    t.match(await ask('GET', 'config/diff', 'two'), { status: 422, problems: [{ path: "routes['/x'].to" }] })
    t.match(await ask('POST', 'config/reload', 'two'), {
      status: 422,
      code: 'HR_RELOAD_INVALID',
      problems: [{ path: "routes['/x'].to", code: 'HR_CONFIG_TARGET_UNKNOWN' }],
    })
    t.match(await ask('POST', 'restart', 'two'), { status: 409, code: 'HR_RESTART_SINGLE_PROCESS' })
    t.match(await ask('GET', 'config', 'two'), { lastFailure: { code: 'HR_RELOAD_INVALID', problems: [{}] } })
  }
})

void test('requests of every kind come to an end: nothing keeps what was replaced', {
  timeout: PATIENCE,
}, async (t) => {
  const release = Promise.withResolvers<void>()
  const one = await startUpstream(t, async (exchange) => {
    if (exchange.request.target === '/hold') await release.promise
    await exchange.respond(200, [['Cache-Control', 'max-age=1']], 'one')
  })
  const base = { upstreams: { a: to(one.origin) }, routes: { '/*': { to: 'a', cache: true }, '/n': { to: 'a' } } }
  const gateway = await reloadable(t, base)
  const lines = [
    'GET /x',
    'HEAD /x',
    'GET /n',
    'GET /health',
    'GET /docs',
    'GET /nowhere%zz',
    'GET //x',
    'OPTIONS *',
    'TRACE /x',
    'POST /health',
    'GET /docs/static/none',
    'GET /%2e%2e/%2e%2e',
  ]
  for (const line of lines) {
    const raw = await gateway.raw()
    const [method = ''] = line.split(' ')
    await raw.exchange(`${line} HTTP/1.1\r\n${HEAD}`, method)
  }
  for (const head of [
    'Host: a b',
    'Host: a.test\r\nContent-Length: x',
    'Host: a.test\r\nExpect: 100-continue\r\nContent-Length: 5',
  ]) {
    const raw = await gateway.raw()
    void raw.send(`POST /health HTTP/1.1\r\n${head}\r\n\r\n`)
    await once(raw.socket, 'data')
    raw.reset()
  }
  const h2 = await gateway.client('h2c')
  for (const path of ['/x', '/n', '/health', '/nowhere%zz', '/docs']) await h2.request({ path })
  const left = await h2.open({ path: '/hold' })
  const gone = await gateway.raw()
  void gone.send(`GET /hold?2 HTTP/1.1\r\n${HEAD}`)
  await one.received(one.requests.length + 1)
  left.abort()
  gone.reset()
  release.resolve()
  await gateway.reload({ upstreams: { b: to(one.origin) }, routes: { '/*': { to: 'b' } } })
  // Its connections are closed with it, once nothing is under way in it.
  await Promise.all(one.connections.map((_, index) => one.closed(index)))
  t.pass()
})

import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'tap'
import { withAdmin } from '../../cli/admin.ts'
import type { AdminAccess } from '../../cli/admin-access.ts'
import { headrace } from './command-line.ts'
import { httpServer, runningGateway } from './running.ts'

const accessTo = (url: string): AdminAccess => {
  return { url, urlFrom: '--admin', token: 'x', tokenFrom: '--token', certificate: null }
}

void test('the address and the token are those of the command line, wherever it runs', async (t) => {
  const { running, adminUrl } = await runningGateway(t)
  const elsewhere = t.testdir({})
  t.match(await headrace(elsewhere, ['log', '--admin', adminUrl, '--token', running.token]), { code: 0 })
  t.match(await headrace(elsewhere, ['log', '--admin', `${adminUrl}/`, '--token', running.token]), { code: 0 })
  const { port } = new URL(adminUrl)
  t.match(await headrace(elsewhere, ['log', '--admin', port, '--token', running.token]), { code: 0 })
  t.match(await headrace(elsewhere, ['log', '--admin', `127.0.0.1:${port}`, '--token', running.token]), { code: 0 })
})

void test('the token may come from the configuration or the environment', async (t) => {
  const { cwd, adminUrl } = await runningGateway(t, { admin: { port: 0, token: 'configured' } })
  t.match(await headrace(cwd, ['log']), { code: 0, out: 'silent\n' })
  const elsewhere = t.testdir({})
  const args = ['log', '--admin', adminUrl]
  t.match(await headrace(elsewhere, args, { HEADRACE_ADMIN_TOKEN: 'configured' }), { code: 0 })
  t.match(await headrace(elsewhere, args), { code: 1, err: /no admin token: none is configured.*--token/ })
})

void test('a performance API that was moved is found all the same', async (t) => {
  const { cwd } = await runningGateway(t, { endpoints: { performance: '/speed' } })
  t.match(await headrace(cwd, ['status']), { code: 0 })
})

void test('a control plane that shares an https listener is trusted by its development certificate', async (t) => {
  const { cwd, running } = await runningGateway(t, {
    listen: { port: 0, tls: 'development' },
    admin: { shared: true },
  })
  t.match(running.addresses[0]?.url, /^https:/)
  t.match(await headrace(cwd, ['log']), { code: 0, out: 'silent\n', err: '' })
  rmSync(join(cwd, '.headrace', 'development.crt'))
  t.match(await headrace(cwd, ['log']), { code: 1, err: /The certificate is not trusted.*NODE_EXTRA_CA_CERTS/ })
})

void test('a listener on every address is reached at loopback', async (t) => {
  const { cwd } = await runningGateway(t, { listen: { host: '0.0.0.0', port: 0 }, admin: { shared: true } })
  t.match(await headrace(cwd, ['status']), { code: 0, out: /at http:\/\/127\.0\.0\.1:\d+\n/ })
})

void test('where no gateway runs it says how to start or to name one', async (t) => {
  const cwd = t.testdir({})
  t.match(await headrace(cwd, ['status']), {
    code: 1,
    out: '',
    err: /^error No gateway runs here: there is no \.headrace\/admin-address\. Start one with headrace serve/,
  })
  mkdirSync(join(cwd, '.headrace'))
  writeFileSync(join(cwd, '.headrace', 'admin-address'), 'http://127.0.0.1:1\n')
  writeFileSync(join(cwd, '.headrace', 'admin-token'), 'left-behind\n')
  const { code, err } = await headrace(cwd, ['status'])
  t.equal(code, 1)
  t.match(err, /^error Nothing listens at http:\/\/127\.0\.0\.1:1 \(\.headrace\/admin-address\)\..*not running/)
  t.notMatch(err, 'left-behind')
})

void test('a wrong token is told apart, and is not repeated', async (t) => {
  const { cwd } = await runningGateway(t)
  const flag = await headrace(cwd, ['status', '--token', 'wrong-secret'])
  t.match(flag, { code: 1, out: '', err: /does not take the admin token of --token\. Give the one/ })
  t.notMatch(flag.err, 'wrong-secret')
  writeFileSync(join(cwd, '.headrace', 'admin-token'), 'stale\n')
  t.match(await headrace(cwd, ['log', 'info']), { code: 1, err: /admin token of \.headrace\/admin-token/ })
})

void test('an address that is not the control plane’s is told apart', async (t) => {
  const { publicUrl } = await runningGateway(t)
  const ask = async (url: string) => (await headrace('/', ['status', '--admin', url, '--token', 'x'])).err
  t.match(await ask(publicUrl), /no control plane of Headrace at .*answered 404/)
  const html = await httpServer(t, (_request, response) => response.end('<html>'))
  t.match(await ask(html), /no control plane of Headrace at .*something else/)
  const other = await httpServer(t, (_request, response) => response.end('{"status":"ok"}'))
  t.match(await ask(other), /something else/)
  const moved = await httpServer(t, (_request, response) => {
    response.writeHead(308, { location: 'https://example.test/' }).end()
  })
  t.match(await ask(moved), /redirects to https:\/\/example\.test\/\. Name the control plane itself/)
  const tls = publicUrl.replace('http:', 'https:')
  t.match(await ask(tls), /The connection failed .*http or https/)
})

void test('what the gateway could not do is told in its words, without what could steer a terminal', async (t) => {
  const origin = await httpServer(t, (_request, response) => {
    response.writeHead(503, { 'content-type': 'application/problem+json' })
    response.end(JSON.stringify({ code: 'HR_CONTROL_NO_ANSWER', detail: '\u001B[2JAsk\u0007 again.' }))
  })
  t.match(await headrace('/', ['status', '--admin', origin, '--token', 'x']), {
    code: 1,
    err: `error The gateway at ${origin} answered 503: Ask  again. (HR_CONTROL_NO_ANSWER)\n`,
  })
})

void test('a gateway that does not answer is left after the deadline', async (t) => {
  const sockets = new Set<{ destroy(): void }>()
  const server = createTcpServer((socket) => void sockets.add(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const access = accessTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const asked = withAdmin(access, (admin) => admin.get<{ level: string }>('/log', ['level']), 50)
  await t.rejects(asked, { code: 'HR_CLI_UNREACHABLE', message: /^No answer within 50 ms/ })
})

void test('what is switched off is named', async (t) => {
  const cwd = t.testdir({ 'off.yaml': 'admin: false\n', 'half.yaml': 'endpoints: { performance: false }\n' })
  t.match(await headrace(cwd, ['status', '-c', 'off.yaml']), { code: 1, err: /\(admin: false\)/ })
  t.match(await headrace(cwd, ['status', '-c', 'half.yaml']), { code: 1, err: /\(endpoints\.performance: false\)/ })
})

void test('an invalid configuration is reported, and is not needed where both are given', async (t) => {
  const { running, adminUrl } = await runningGateway(t)
  const cwd = t.testdir({ 'headrace.config.yaml': 'upstrems: {}\n' })
  t.match(await headrace(cwd, ['status']), { code: 1, err: /HR_CONFIG_UNKNOWN_KEY[^]*both --admin and --token/ })
  t.match(await headrace(cwd, ['status', '--admin', adminUrl, '--token', running.token]), { code: 0 })
})

void test('addresses and tokens that are none end with 2', async (t) => {
  for (const [args, said] of [
    [['--admin', 'ftp://a'], "'ftp://a' is no address"],
    [['--admin', 'http://'], "'http://' is no address"],
    [['--admin', ''], "'' is no address"],
    [['--token', ''], '--token is no token'],
    [['--token', 'a b'], '--token is no token'],
  ] as const) {
    const { code, err } = await headrace('/', ['status', ...args])
    t.equal(code, 2, args.join(' '))
    t.match(err, said)
  }
})

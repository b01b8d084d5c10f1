import { type AddressInfo, createServer } from 'node:net'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import { test } from 'tap'
import type { Running } from '../server.ts'
import { connectClient } from './client.ts'
import { clustered, PATIENCE_MS } from './clustered.ts'
import type { Play } from './upstream-server.ts'
import { until } from './until.ts'

void test('a reload replaces the processes: nothing is lost or counted twice, and a faulty one replaces none', {
  timeout: PATIENCE_MS,
}, async (t) => {
  const release = Promise.withResolvers<void>()
  const hold: Play = async (exchange) => {
    if (exchange.request.target === '/hold') await release.promise
    await exchange.respond(200, [], exchange.request.target)
  }
  const cluster = await clustered(t, { listen: { port: 0, h2c: true } }, hold)
  const { running, upstream, get, pids, write } = cluster
  const h2 = await connectClient(t, { cleartext: cluster.port('public'), tls: 0 }, 'h2c')
  const held = [get('/hold'), get('/hold'), h2.request({ path: '/hold' })]
  await upstream.received(3)
  const before = await pids()

  const listen = { port: 0, h2c: true }
  write({ listen, routes: { '/*': { to: 'nowhere' } } })
  t.match(await running.reload(), { outcome: 'refused', failure: { code: 'HR_RELOAD_INVALID' } })
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  t.teardown(() => taken.close())
  write({ listen: [listen, { port: (taken.address() as AddressInfo).port }] })
  t.match(await running.reload(), { outcome: 'refused', failure: { code: 'HR_LISTENER_PORT_IN_USE' } })
  t.strictSame(await pids(), before)

  write({ listen, routes: { '/*': { to: 'origin', rewrite: '/new/*' } }, processes: 3 })
  t.match(await running.reload(), {
    outcome: 'reloaded',
    version: 2,
    changes: [{ path: 'processes' }, { path: "routes['/*'].rewrite" }],
  })
  const after = await pids()
  t.equal(after.length, 3)
  t.notOk(after.some((pid) => before.includes(pid)))
  for (let turn = 0; turn < 6; turn++) t.strictSame(await get('/x'), { status: 200, body: '/new/x' })
  release.resolve()
  t.strictSame(
    (await Promise.all(held)).map(({ status, body }) => `${status} ${String(body)}`),
    ['200 /hold', '200 /hold', '200 /hold'],
  )
  const counted = async (): Promise<number | undefined> =>
    (await running.control.ask('metrics')).result.find(({ name }) => name === 'headrace_requests_total')?.values[0]
      ?.value
  // The old ones say what they have counted when they end.
  await until(async () => (await processes(running)) <= 3)
  t.equal(await counted(), 9)
  await running.close()
  await running.closed
})

void test('a certificate that does not belong to its key is told as such, and reaches no process', {
  timeout: PATIENCE_MS,
}, async (t) => {
  // The folder of the test itself is the gateway's, which begins empty.
  const folder = join(t.testdir(), '..')
  const [one, other] = await Promise.all([0, 1].map(() => generate(undefined, { keyType: 'ec' })))
  const files = { cert: join(folder, 'pair.crt'), key: join(folder, 'pair.key') }
  writeFileSync(files.cert, one!.cert)
  writeFileSync(files.key, one!.private)
  const { running } = await clustered(t, { listen: { port: 0, tls: files } })
  writeFileSync(files.key, other!.private)
  const failure = { code: 'HR_TLS_KEY_MISMATCH', status: 422, message: /pair\.key does not belong to the certificate/ }
  t.match(await running.reload(), { outcome: 'refused', version: 1, failure })
  t.match((await running.control.ask('config-preview')).result, { valid: false, failure })
  writeFileSync(files.key, one!.private)
  t.match(await running.reload(), { outcome: 'unchanged' })
})

void test('what was accepted of signed requests is known after a reload that does not change for how long', {
  timeout: PATIENCE_MS,
}, async (t) => {
  const { running, write } = await clustered(t)
  const take = async () => (await running.control.ask('signature-take', { id: 'a' })).result
  t.equal(await take(), 'new')
  write({ access: { hmac: { keep: true } } })
  t.match(await running.reload(), { outcome: 'reloaded' })
  t.equal(await take(), 'known')
})

void test('processes that start know the document that an upstream gave to others, and what is no longer given holds', {
  timeout: PATIENCE_MS,
}, async (t) => {
  const id = { name: 'id', in: 'path', required: true, schema: { type: 'integer' } }
  const operation = { get: { parameters: [id], responses: { 200: { description: '' } } } }
  const document = { openapi: '3.1.0', info: { title: 'o', version: '1' }, paths: { '/orders/{id}': operation } }
  let isGiven = true
  const { running, upstream, get, pids, write } = await clustered(t, {}, async (exchange) => {
    const isDocument = exchange.request.target === '/openapi.json'
    await exchange.respond(isDocument && !isGiven ? 503 : 200, [], isDocument ? JSON.stringify(document) : 'x')
  })
  const input = {
    upstreams: { origin: { targets: [upstream.origin], openapi: '/openapi.json' } },
    routes: { '/*': { to: 'origin', validate: { responses: 'off' } } },
  }
  /** Each process is asked. */
  const statuses = async (): Promise<number[]> => {
    const all = []
    for (let turn = 0; turn < 4; turn++) all.push((await get(turn % 2 ? '/orders/7' : '/orders/seven')).status)
    return all.toSorted((a, b) => a - b)
  }
  write(input)
  t.match(await running.reload(), { outcome: 'reloaded' })
  t.strictSame(await statuses(), [200, 200, 400, 400])
  isGiven = false
  write({ ...input, serverTiming: false })
  t.match(await running.reload(), { outcome: 'reloaded' })
  t.strictSame(await statuses(), [200, 200, 400, 400])
  const [one, other] = (await pids()) as [number, number]
  process.kill(one, 'SIGKILL')
  await until(async () => (await pids()).some((pid) => pid !== one && pid !== other))
  t.strictSame(await statuses(), [200, 200, 400, 400], 'also the one that takes the place of another')
})

/** Those that answer: the ones on their way out, too. */
async function processes(running: Running): Promise<number> {
  const { result } = await running.control.ask('metrics')
  return result.find(({ name }) => name === 'headrace_processes')?.values[0]?.value ?? 0
}

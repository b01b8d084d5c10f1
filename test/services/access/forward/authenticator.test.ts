import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Test, test } from 'tap'
import type { KnownConsumer } from '../../../../services/access/claims.ts'
import { ForwardAuthenticator } from '../../../../services/access/forward/authenticator.ts'
import { type ForwardInput, forwardSchema, resolveForward } from '../../../../services/access/forward/options.ts'
import type { Identity } from '../../../../services/downstream/identity.ts'
import { ANSWERED } from '../../../../services/gate/gate.ts'
import { settleOption } from '../settle-option.ts'
import { PATIENCE } from '../../../helper.ts'
import { asked } from '../asked.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

const says =
  (status: number, fields: Record<string, string | string[]> = {}, body = ''): Answer =>
  (_request, response) => {
    response.writeHead(status, fields).end(body)
  }

async function setUp(t: Test, answer: Answer, input: Partial<ForwardInput> = {}) {
  const service = { answer, requests: [] as IncomingMessage[] }
  const server = createServer((request, response) => {
    service.requests.push(request)
    service.answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/verify?tenant=1`
  const failed: unknown[] = []
  const clock = { now: 1_000_000 }
  const consumers: KnownConsumer[] = [
    { name: 'shop', tier: 'gold', groups: ['partners'], scopes: [], priority: 'high' },
  ]
  const options = resolveForward('sso', settleOption(forwardSchema, { url, ...input }))
  const authenticator = new ForwardAuthenticator(options, {
    now: () => clock.now,
    consumerOf: (name) => consumers.find((consumer) => consumer.name === name),
    failed: (error) => failed.push(error),
  })
  t.teardown(async () => {
    authenticator.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { service, authenticator, failed, clock }
}

const soon = { timeout: PATIENCE }

void test('the service is told of the request and gets its credentials, and nothing else', soon, async (t) => {
  const { service, authenticator } = await setUp(t, says(200, { 'X-Auth-Request-User': 'ada' }))
  const { exchange } = asked(
    { authorization: 'Bearer x', Cookie: 'a=b', 'x-other': 'y', 'x-forwarded-method': 'GET' },
    { method: 'DELETE', path: '/orders/7', query: '?a=1' },
  )
  t.match(await authenticator.authenticate(exchange), { id: 'sso|ada', scheme: 'forward' })
  const [request] = service.requests
  t.equal(request?.method, 'GET')
  t.equal(request?.url, '/verify?tenant=1')
  const { host: _, connection: __, ...fields } = request?.headers ?? {}
  t.same(fields, {
    authorization: 'Bearer x',
    cookie: 'a=b',
    'x-forwarded-method': 'DELETE',
    'x-forwarded-uri': '/orders/7?a=1',
    'x-forwarded-host': 'app.test',
    'x-forwarded-proto': 'https',
    'x-forwarded-for': '203.0.113.7',
  })
})

void test('its yes says who calls, and what goes upstream', soon, async (t) => {
  const answer = says(204, {
    'x-auth-request-user': 'ada',
    'x-auth-request-groups': 'staff, admin',
    'x-auth-request-scopes': 'read write',
    'x-plan': 'silver',
    'x-email': 'ada@example.com',
    'x-secret': 'no',
  })
  const { authenticator } = await setUp(t, answer, { copy: ['X-Email'], identity: { tier: 'x-plan' } as never })
  const { exchange } = asked({ authorization: 'x' })
  t.match(await authenticator.authenticate(exchange), {
    id: 'sso|ada',
    consumer: null,
    tier: 'silver',
    groups: ['staff', 'admin'],
    scopes: ['read', 'write'],
    claims: { 'x-email': 'ada@example.com' },
  })
  t.same(exchange.fields.kept, ['authorization', 'x', 'x-email', 'ada@example.com'])
})

void test('a consumer that there is not is refused', soon, async (t) => {
  const { service, authenticator } = await setUp(t, says(200, { 'x-name': 'shop' }), {
    identity: { consumer: 'x-name' } as never,
  })
  t.match(await authenticator.authenticate(asked().exchange), {
    id: 'shop',
    consumer: 'shop',
    groups: ['partners'],
    priority: 'high',
  })
  service.answer = says(200, { 'x-name': 'nobody' })
  t.match(await authenticator.authenticate(asked().exchange), { code: 'HR_ACCESS_INVALID' })
})

void test('callers of whom it does not say who they are stay apart by their credentials', soon, async (t) => {
  const { authenticator } = await setUp(t, says(200))
  const idOf = async (authorization: string, path: string) =>
    ((await authenticator.authenticate(asked({ authorization }, { path }).exchange)) as Identity).id
  t.equal(await idOf('a', '/1'), await idOf('a', '/2'))
  t.not(await idOf('a', '/1'), await idOf('b', '/1'))
})

void test('a yes is remembered as its Cache-Control says, for the same question alone', soon, async (t) => {
  const { service, authenticator, clock } = await setUp(t, says(200, { 'cache-control': 'private, max-age=60' }))
  const ask = (authorization = 'a', path = '/', method = 'GET') =>
    authenticator.authenticate(asked({ authorization }, { path, method }).exchange)
  const first = await ask()
  t.equal(ask(), first, 'at once')
  clock.now += 59_999
  t.equal(ask(), first)
  clock.now += 1
  await ask()
  t.equal(service.requests.length, 2)
  await ask('b')
  await ask('a', '/admin')
  await ask('a', '/', 'DELETE')
  t.equal(service.requests.length, 5, 'another credential, path or method is another question')
  authenticator.forget()
  await ask()
  t.equal(service.requests.length, 6)
})

void test('it is not remembered without max-age, with no-store, or longer than is configured', soon, async (t) => {
  const { service, authenticator, clock } = await setUp(t, says(200), { maxAge: '10s' })
  const ask = () => authenticator.authenticate(asked().exchange)
  await ask()
  await ask()
  t.equal(service.requests.length, 2)
  service.answer = says(200, { 'cache-control': 'no-store, max-age=60' })
  await ask()
  await ask()
  t.equal(service.requests.length, 4)
  service.answer = says(200, { 'cache-control': 'max-age=60' })
  await ask()
  clock.now += 10_000
  await ask()
  t.equal(service.requests.length, 6)
})

void test('a no is what the client gets, and is not remembered', soon, async (t) => {
  const { service, authenticator } = await setUp(
    t,
    says(401, { 'www-authenticate': 'Bearer', 'content-type': 'text/plain', 'cache-control': 'max-age=60' }, 'log in'),
  )
  const { exchange, reply } = asked()
  t.equal(await authenticator.authenticate(exchange), ANSWERED)
  t.match(reply.answer, { status: 401, body: Buffer.from('log in') })
  const fields = reply.answer?.fields ?? []
  t.equal(fields[fields.indexOf('www-authenticate') + 1], 'Bearer')
  t.equal(fields[fields.indexOf('cache-control') + 1], 'no-store')
  t.match(exchange, { status: 401, denied: 'access', code: 'HR_ACCESS_FORWARD_REFUSED' })
  service.answer = says(302, { location: 'https://login.test/', 'set-cookie': ['a=1', 'b=2'] })
  const redirected = asked()
  t.equal(await authenticator.authenticate(redirected.exchange), ANSWERED)
  t.equal(redirected.reply.answer?.status, 302)
  t.same(
    redirected.reply.answer?.fields.filter((_, i, all) => all[i - 1] === 'set-cookie'),
    ['a=1', 'b=2'],
  )
  t.equal(redirected.exchange.denied, '')
})

void test('the same question at the same time is asked once, but a cookie is for one browser', soon, async (t) => {
  const { service, authenticator } = await setUp(t, says(200, { 'x-auth-request-user': 'ada' }))
  const many = () =>
    Promise.all(
      Array.from({ length: 20 }, async () => await authenticator.authenticate(asked({ authorization: 'a' }).exchange)),
    )
  await many()
  t.equal(service.requests.length, 1)
  service.answer = says(302, { location: '/login', 'set-cookie': 'state=1' })
  await many()
  t.equal(service.requests.length, 21)
})

void test('no decision is a refusal: errors, odd statuses, silence', soon, async (t) => {
  const { service, authenticator, failed } = await setUp(t, says(500), { timeout: '100ms' })
  const refusal = { code: 'HR_ACCESS_FORWARD_AWAY', statusCode: 503, fields: ['retry-after', '5'] }
  const answers: Answer[] = [says(500), says(404), says(304), (request) => request.socket.destroy(), () => undefined]
  for (const answer of answers) {
    service.answer = answer
    t.match(await authenticator.authenticate(asked().exchange), refusal)
  }
  t.equal(failed.length, 1, 'told once')
  t.equal(authenticator.failures, answers.length)
})

void test('only where the configuration says so, its silence leads to the next way', soon, async (t) => {
  const { service, authenticator } = await setUp(t, says(500), { onFailure: 'skip' })
  t.equal(await authenticator.authenticate(asked().exchange), undefined)
  service.answer = (request) => request.socket.destroy()
  t.equal(await authenticator.authenticate(asked().exchange), undefined)
})

void test('credentials that it cannot read let nobody through by the next way', soon, async (t) => {
  const { service, authenticator } = await setUp(t, says(400), { onFailure: 'skip' })
  for (const status of [400, 404, 429, 431, 304]) {
    service.answer = says(status)
    const judged = await authenticator.authenticate(asked({ authorization: 'a' }).exchange)
    t.match(judged, { code: 'HR_ACCESS_FORWARD_AWAY', statusCode: 503 }, String(status))
  }
})

void test('a credential that comes twice is refused', soon, async (t) => {
  const { service, authenticator } = await setUp(t, says(200))
  const { exchange } = asked({ authorization: ['a', 'b'] })
  t.match(authenticator.authenticate(exchange), { code: 'HR_ACCESS_AMBIGUOUS' })
  t.equal(service.requests.length, 0)
})

void test('a refusal of any size is bounded, and none breaks the gateway', soon, async (t) => {
  const { service, authenticator } = await setUp(t, says(403, {}, 'x'.repeat(200_000)))
  const { exchange, reply } = asked()
  t.equal(await authenticator.authenticate(exchange), ANSWERED)
  t.equal(reply.answer?.body?.length ?? 0, 0)
  service.answer = (_request, response) => {
    response.writeHead(401, { 'content-length': '100' }).write('x')
    response.socket?.destroy()
  }
  t.match(await authenticator.authenticate(asked().exchange), { code: 'HR_ACCESS_FORWARD_AWAY' })
})

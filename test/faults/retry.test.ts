import { test, type Test } from 'tap'
import type { ClientRequest, Protocol } from '../client.ts'
import { everyProtocol, gatewayBefore, isProblem, managedGatewayBefore, PATIENCE } from '../helper.ts'
import type { ClientResponse } from '../incoming.ts'
import type { RawConnection } from '../raw-client.ts'
import type { Play, Upstream } from '../upstream-server.ts'

const answer: Play = (exchange) => exchange.respond(200, [], 'answer')
const reset: Play = (exchange) => exchange.reset()
const fin: Play = (exchange) => exchange.fin()

/** One good GET, so that a connection idles, then the request in question; the plays after the first are for it. */
async function onReused(
  t: Test,
  protocol: Protocol,
  plays: Play[],
  request: ClientRequest,
): Promise<{ response: ClientResponse; upstream: Upstream }> {
  const { gateway, upstream } = await gatewayBefore(t, [answer, ...plays])
  const client = await gateway.client(protocol)
  t.equal((await client.request({ path: '/first' })).status, 200)
  const response = await client.request(request)
  t.equal(upstream.requests[1]?.connection, 0, 'the idle connection was reused')
  return { response, upstream }
}

for (const [how, play] of [
  ['a reset', reset],
  ['an end', fin],
] as const) {
  for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']) {
    everyProtocol(
      `${how} on a reused idle connection: ${method} without a body is sent once more, on another`,
      async (t, protocol) => {
        const { response, upstream } = await onReused(t, protocol, [play, answer], { method, path: '/' })
        t.equal(response.status, 200)
        t.equal(upstream.requests.length, 3)
        t.not(upstream.requests[2]?.connection, 0)
      },
      method === 'GET' ? ['h1', 'h2', 'h2c'] : ['h1'],
    )
  }
}

everyProtocol('a second reset is the last', async (t, protocol) => {
  const { response, upstream } = await onReused(t, protocol, [reset, reset], { path: '/' })
  isProblem(t, response, 502)
  t.equal(upstream.requests.length, 3)
})

for (const request of [
  { method: 'POST', path: '/', body: 'abc' },
  { method: 'POST', path: '/' },
  { method: 'PATCH', path: '/', body: 'abc' },
  { method: 'PUT', path: '/', body: 'abc' },
  { method: 'GET', path: '/', body: 'abc' },
]) {
  everyProtocol(
    `a reset on a reused connection: ${request.method} ${request.body ? 'with' : 'without'} a body is never sent twice`,
    async (t, protocol) => {
      const { response, upstream } = await onReused(t, protocol, [reset], request)
      isProblem(t, response, 502)
      t.equal(upstream.requests.length, 2)
    },
  )
}

everyProtocol('a reset on a fresh connection is answered 502 at once', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, [reset])
  isProblem(t, await (await gateway.client(protocol)).request({ path: '/' }), 502)
  t.equal(upstream.requests.length, 1)
})

everyProtocol('a reset within the head of a reused connection is answered 502', async (t, protocol) => {
  const within: Play = async (exchange) => {
    await exchange.send('HTTP/1.1 200 OK\r\nX-Half')
    await new Promise((resolve) => setImmediate(resolve))
    exchange.fin()
  }
  const { response, upstream } = await onReused(t, protocol, [within], { path: '/' })
  isProblem(t, response, 502)
  t.equal(upstream.requests.length, 2, 'the upstream had begun to answer')
})

everyProtocol('a connection that the upstream closed while idle is not used again', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, async (exchange) => {
    await exchange.respond()
    exchange.fin()
  })
  const client = await gateway.client(protocol)
  for (let turn = 1; turn <= 3; turn++) {
    const response = await client.request({ method: 'POST', path: '/', body: 'abc' })
    t.equal(response.status, 200)
    await upstream.closed(turn - 1)
    // The gateway closes its end in the turn after it has seen ours: let it.
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.equal(upstream.requests.length, 3)
})

for (const request of [
  'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc',
]) {
  const [method = ''] = request.split(' ')
  void test(`idle connections that are all reset as a ${method} comes: it is sent once, over a new one`, {
    timeout: PATIENCE,
  }, async (t) => {
    const { gateway, upstream } = await managedGatewayBefore(t, async (exchange) => {
      // Three at a time: as many connections are idle then.
      await upstream.received(3)
      await exchange.respond(200, [], 'answer')
    })
    const clients = await Promise.all(Array.from({ length: 3 }, () => gateway.raw()))
    await Promise.all(clients.map((client) => client.exchange('GET / HTTP/1.1\r\nHost: x\r\n\r\n')))
    const client = clients[0] as RawConnection
    const incoming = client.expect(method)
    // The request first: the gateway has chosen its connection when it hears of the resets.
    void client.send(request)
    for (const { socket } of upstream.connections) socket.resetAndDestroy()
    const response = await incoming.whole()
    t.equal(response.status, 200)
    t.equal(upstream.requests.length, 4)
    t.equal(upstream.requests[3]?.connection, 3)
    const answer = await fetch(`${gateway.adminUrl}/performance/pools`, {
      headers: { authorization: `Bearer ${gateway.token}` },
    })
    const [target] = ((await answer.json()) as { pools: { state: string; outcomes: Record<string, number> }[] }).pools
    t.equal(target?.state, 'up')
    t.equal(target?.outcomes['connect_error'], 0)
  })
}

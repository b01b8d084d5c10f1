import type { ClientRequest } from '../client.ts'
import { everyProtocol, startGateway, TIMEOUTS } from '../helper.ts'
import type { ClientResponse } from '../incoming.ts'
import { type Play, startUpstream, type ReceivedRequest } from '../upstream-server.ts'
import { startWithoutLane } from './without-lane.ts'

/** The lane must skip nothing that the way through Fastify enforces: the same requests, compared at both ends. */
const REQUESTS: ClientRequest[] = [
  { path: '/sized' },
  { path: '/chunked', fields: [['TE', 'trailers']] },
  { path: '/hints' },
  { path: '/broken' },
  { path: '/reset' },
  { path: '/moved' },
  { method: 'HEAD', path: '/sized' },
  { method: 'OPTIONS', path: '/sized' },
  { method: 'DELETE', path: '/sized' },
  { method: 'PROPFIND', path: '/sized', body: '<x/>' },
  { method: 'POST', path: '/sized', body: '{"a":1}', fields: [['Content-Type', 'application/json']] },
  { method: 'POST', path: '/sized', body: '{"a":', fields: [['Content-Type', 'application/json']] },
  { method: 'POST', path: '/sized', body: 'a', fields: [['Content-Type', 'no/such; type=']] },
  { method: 'POST', path: '/sized', body: '' },
  { method: 'GET', path: '/sized', body: 'of a GET' },
  { path: '/sized/%2e%2e/sized/./%41%2F%7e?q=%zz&%2e' },
  { path: '//sized;v=1//x' },
  { path: '/../x' },
  { path: '/%zz' },
  { path: '/a%00' },
  { path: '/sized', authority: 'a.test, b.test' },
  { path: '/sized', authority: 'Other.Test:8080' },
  {
    path: '/sized',
    fields: [
      ['X-Forwarded-For', '203.0.113.7'],
      ['Via', '1.0 fred'],
      ['X-Request-Id', 'mine'],
    ],
  },
  { path: '/sized', authority: 'only.example' },
  { method: 'PUT', path: '/sized', authority: 'only.example' },
  { path: '/sized', authority: 'nowhere.example' },
  { path: '/health/x' },
]

const play: Play = async (exchange) => {
  const { target } = exchange.request
  if (target.startsWith('/chunked')) {
    await exchange.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\n\r\n')
    await exchange.chunk('abc')
    await exchange.lastChunk([['X-Sum', '6']])
  } else if (target.startsWith('/hints')) {
    await exchange.send('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n')
    await exchange.respond()
  } else if (target.startsWith('/broken')) await exchange.garbage()
  else if (target.startsWith('/reset')) exchange.reset()
  else if (target.startsWith('/moved'))
    await exchange.respond(301, [
      ['Location', '/sized'],
      ['Set-Cookie', 'a=1; Path=/'],
    ])
  else
    await exchange.respond(200, [
      ['Content-Type', 'text/plain'],
      ['Connection', 'X-Hop'],
      ['X-Hop', '1'],
    ])
}

/** What differs from request to request, and nothing else. */
const VOLATILE = /^(date|x-request-id|server-timing)$/

function answer(response: ClientResponse): object {
  const fields = response.fields.filter(([name]) => !VOLATILE.test(name.toLowerCase()))
  return {
    status: response.status,
    hasId: response.get('x-request-id') !== undefined,
    fields: fields.map(([name, value]) => `${name.toLowerCase()}: ${value}`).sort((a, b) => a.localeCompare(b)),
    informational: response.informational.map(({ status }) => status),
    body: response.body.toString().replace(/"requestId":"[^"]*"/, ''),
    trailers: response.trailers.map(([name, value]) => [name.toLowerCase(), value]),
  }
}

function asked({ start, fields, body }: ReceivedRequest): object {
  const told = fields.map(([name, value]) => (VOLATILE.test(name.toLowerCase()) ? name : `${name}: ${value}`))
  return { start, fields: told, body: body.toString() }
}

everyProtocol('a request is answered the same on the lane and through Fastify', async (t, protocol) => {
  const upstream = await startUpstream(t, play)
  const config = {
    upstreams: { origin: { targets: [upstream.origin], timeout: TIMEOUTS } },
    routes: { '*.test/*': { to: 'origin' }, 'GET only.example/*': { to: 'origin' }, '/health/*': { to: 'origin' } },
  }
  const lane = await (await startGateway(t, config)).client(protocol)
  const fastify = await (await startWithoutLane(t, config)).client(protocol)
  for (const request of REQUESTS) {
    const name = `${request.method ?? 'GET'} ${request.path} ${JSON.stringify(request.fields ?? '')}`
    const results = []
    for (const client of [lane, fastify]) {
      const before = upstream.requests.length
      const response = await client.request(request).then(answer, (error: Error) => error.message)
      results.push({ response, sent: upstream.requests.slice(before).map(asked) })
    }
    t.same(results[1], results[0], name)
  }
})

import { Readable } from 'node:stream'
import { test } from 'tap'
import { Exchange } from '../../../services/downstream/exchange.ts'
import { Peer } from '../../../services/downstream/peer.ts'
import { readRequestFields } from '../../../services/http/request-fields.ts'
import { type RequestInput, resolveRequest } from '../../../services/request/options.ts'
import { bodyLimit, requestGate } from '../../../services/request/request-gate.ts'

const NOTHING: RequestInput = { headers: { required: [] }, query: { duplicates: 'allow' } }

/** What the gate of a route says to a request. */
function verdict(
  input: Partial<RequestInput>,
  { method = 'POST', fields = [], query = '' }: { method?: string; fields?: string[]; query?: string },
): unknown {
  const peer = new Peer({ remoteAddress: '127.0.0.1' }, { includes: () => false } as never)
  const read = readRequestFields(fields)
  const body = read.contentLength === undefined ? null : Readable.from([])
  const exchange = new Exchange({ protocol: '1.1', method, target: '/', fields: read, body, peer })
  exchange.query = query
  return requestGate({ request: resolveRequest({ ...NOTHING, ...input }) })?.check(exchange)
}

void test('a method that the route does not take is refused with those that it does', async (t) => {
  t.match(verdict({ methods: ['GET', 'HEAD'] }, {}), { statusCode: 405, fields: ['allow', 'GET, HEAD'] })
  t.equal(verdict({ methods: ['POST'] }, {}), undefined)
})

void test('a body is refused by its length and its type before any of it is read', async (t) => {
  const json = ['content-length', '10', 'content-type', 'Application/JSON; charset=utf-8']
  t.match(verdict({ bodySize: '9B' }, { fields: json }), { code: 'HR_REQUEST_BODY_TOO_LARGE', message: /9 bytes/ })
  t.equal(verdict({ bodySize: '10B' }, { fields: json }), undefined)
  t.equal(verdict({ contentTypes: ['application/json'] }, { fields: json }), undefined)
  t.equal(verdict({ contentTypes: ['application/*'] }, { fields: json }), undefined)
  t.match(verdict({ contentTypes: ['text/*'] }, { fields: json }), { statusCode: 415, fields: ['accept', 'text/*'] })
  t.match(verdict({ contentTypes: ['text/*'] }, { fields: ['content-length', '1'] }), { statusCode: 415 })
  t.equal(verdict({ contentTypes: ['text/*'] }, { method: 'GET' }), undefined, 'no body has no type')
})

void test('fields are counted, measured and asked for', async (t) => {
  const fields = ['a', '1', 'b', '22', 'X-Tenant', 'x']
  const headers = { required: [] }
  t.match(verdict({ headers: { ...headers, count: 2 } }, { fields }), { statusCode: 431, message: /2 fields/ })
  t.equal(verdict({ headers: { ...headers, count: 3 } }, { fields }), undefined)
  t.match(verdict({ headers: { ...headers, size: '13B' } }, { fields }), { statusCode: 431, message: /13 bytes/ })
  t.equal(verdict({ headers: { ...headers, size: '14B' } }, { fields }), undefined)
  t.equal(verdict({ headers: { required: ['x-tenant'] } }, { fields }), undefined)
  t.match(verdict({ headers: { required: ['x-other'] } }, { fields }), { code: 'HR_REQUEST_FIELD_MISSING' })
})

void test('a query is measured and counted, and a parameter may be taken once however it is written', async (t) => {
  const query = { duplicates: 'allow' } as const
  t.match(verdict({ query: { ...query, length: 2 } }, { query: '?a=1' }), { statusCode: 414, message: /2 characters/ })
  t.equal(verdict({ query: { ...query, length: 3 } }, { query: '?a=1' }), undefined)
  t.match(verdict({ query: { ...query, parameters: 1 } }, { query: '?a&b' }), { code: 'HR_REQUEST_QUERY_COUNT' })
  t.equal(verdict({ query: { ...query, parameters: 2 } }, { query: '?a&b' }), undefined)
  const once = { query: { duplicates: 'refuse' } } as const
  for (const twice of ['?a=1&a=2', '?a&%61', '?a+b&a%20b', '?%zz&%zz'])
    t.match(verdict(once, { query: twice }), { code: 'HR_REQUEST_QUERY_DUPLICATE' }, twice)
  t.equal(verdict(once, { query: '?a=1&A=1&b' }), undefined)
})

void test('a route takes no larger body than the gateway', async (t) => {
  t.equal(bodyLimit(null, 10), 10)
  t.equal(bodyLimit(resolveRequest({ ...NOTHING, bodySize: '5B' }), 10), 5)
  t.equal(bodyLimit(resolveRequest({ ...NOTHING, bodySize: '50B' }), 10), 10)
})

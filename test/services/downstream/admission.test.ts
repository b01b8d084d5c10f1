import { test } from 'tap'
import { Admission, type Admissible } from '../../../services/downstream/admission.ts'
import type { Exchange } from '../../../services/downstream/exchange.ts'
import { Forwarding } from '../../../services/downstream/forwarding.ts'
import type { GatewayError } from '../../../services/http/problem.ts'
import { parseRouteKey } from '../../../services/routing/pattern.ts'
import { RouteTable } from '../../../services/routing/table.ts'
import { type ExchangeInit, makeExchange } from './make-exchange.ts'

const GUARDED = ['/performance', '/api/v1/performance', '/metrics']

interface Route extends Partial<Admissible> {
  key: string
}

function admissionOf(...routes: Route[]): Admission<Admissible> {
  const table = new RouteTable<Admissible>(
    routes.map(({ key, ...rest }) => ({
      pattern: parseRouteKey(key),
      encodedSlash: 'opaque',
      guard: '',
      preflights: false,
      ...rest,
    })),
  )
  return new Admission({
    forwarding: new Forwarding({ trust: [], read: 'either', send: 'both', via: 'headrace' }),
    table,
    bodyBytes: 1_000,
    ownGuard: (path) => (GUARDED.some((root) => path === root || path.startsWith(`${root}/`)) ? 'own' : ''),
  })
}

type Admitted = { exchange: Exchange<Admissible>; refusal: GatewayError | undefined }

function admit(admission: Admission<Admissible>, init: ExchangeInit): Admitted {
  const exchange = makeExchange<Admissible>(init)
  const refusal = admission.admit(exchange) ?? admission.route(exchange)
  return { exchange, refusal }
}

const code = (admitted: Admitted): string => admitted.refusal?.code ?? 'admitted'
const all = admissionOf({ key: '/*' })

void test('a target becomes one canonical path, its query apart, whatever form it came in', (t) => {
  const rows: [target: string, path: string, query: string][] = [
    ['/a/%2e%2e/b?x=%2F..', '/b', '?x=%2F..'],
    ['http://gateway.test/a?b', '/a', '?b'],
    ['HTTPS://gateway.test', '/', ''],
    ['http://gateway.test?x', '/', '?x'],
  ]
  for (const [target, path, query] of rows) {
    const { exchange, refusal } = admit(all, { target })
    t.equal(refusal, undefined)
    t.match(exchange, { path, query }, target)
  }
  t.match(admit(all, { method: 'OPTIONS', target: '*' }).exchange, { path: '*', plan: undefined })
  for (const target of [
    '*',
    'a',
    '',
    'ftp://a/',
    'http:/a',
    'gateway.test:80',
    '/..',
    '/%00',
    'http://gateway.test/..',
  ]) {
    t.equal(code(admit(all, { target })), 'HR_REQUEST_TARGET', target)
  }
  t.end()
})

void test('the host is that of an absolute target, or the one Host field there is', (t) => {
  const host = (init: ExchangeInit): unknown => {
    const { exchange, refusal } = admit(all, init)
    return refusal?.code ?? [exchange.authority, exchange.host]
  }
  t.strictSame(host({ fields: ['Host', 'A.test:81'] }), ['a.test:81', 'a.test'])
  t.strictSame(host({ target: 'http://b.test/', fields: ['Host', 'a.test'] }), ['b.test', 'b.test'])
  t.strictSame(host({ version: '1.0', fields: [] }), ['', ''])
  const refused: ExchangeInit[] = [
    { fields: [] },
    { fields: ['Host', ''] },
    { fields: ['Host', 'a', 'Host', 'a'] },
    { fields: ['Host', 'a, b'] },
    { version: '1.0', fields: ['Host', 'a/b'] },
    { target: 'http:///x', fields: ['Host', 'a'] },
    { target: 'http://u@b.test/', fields: ['Host', 'a'] },
    { target: 'http://b.test/', fields: ['Host', 'a', 'Host', 'b'] },
  ]
  for (const init of refused) t.equal(host(init), 'HR_REQUEST_HOST', JSON.stringify(init))
  t.end()
})

void test('a body over the limit, and a request that goes in circles, are refused at once', (t) => {
  const post = (length: string): ExchangeInit => ({ method: 'POST', fields: ['Host', 'a', 'Content-Length', length] })
  t.equal(code(admit(all, post('1000'))), 'admitted')
  t.match(admit(all, post('1001')).refusal, { code: 'HR_REQUEST_BODY_TOO_LARGE', statusCode: 413 })
  const via = (passes: number): ExchangeInit => ({
    fields: ['Host', 'a', 'Via', Array.from({ length: passes }, () => '1.1 headrace').join(', ')],
  })
  t.equal(code(admit(all, via(7))), 'admitted')
  t.match(admit(all, via(8)).refusal, { code: 'HR_PROXY_LOOP', statusCode: 508 })
  t.end()
})

void test('framing is looked at first: what it makes of the connection matters most', (t) => {
  const fields = ['Host', 'a', 'Content-Length', '1', 'Transfer-Encoding', 'chunked']
  t.equal(code(admit(all, { target: '/%00', fields })), 'HR_REQUEST_FRAMING')
  t.end()
})

void test('a path that no route takes is nobody’s; one whose routes take other methods names these', (t) => {
  const admission = admissionOf({ key: 'GET,PUT /a/:x' }, { key: 'DELETE /a/b' })
  t.match(admit(admission, { target: '/z' }), { refusal: undefined, exchange: { plan: undefined } })
  const { refusal } = admit(admission, { method: 'POST', target: '/a/b' })
  t.match(refusal, { code: 'HR_ROUTE_METHOD', statusCode: 405 })
  t.strictSame(refusal?.fields, ['allow', 'GET, PUT, DELETE'])
  t.match(admit(admission, { target: '/a/b' }).exchange, { parameters: ['b'] })
  t.end()
})

void test('an encoded slash is opaque, or refused where its route says so', (t) => {
  const admission = admissionOf({ key: '/*' }, { key: '/strict/*', encodedSlash: 'refuse' })
  t.equal(code(admit(admission, { target: '/@scope%2fname' })), 'admitted')
  t.equal(code(admit(admission, { target: '/strict/a%2Fb' })), 'HR_REQUEST_ENCODED_SLASH')
  t.equal(code(admit(admission, { target: '/strict/a%252Fb' })), 'admitted')
  t.end()
})

void test('a path is refused that, read in another way, is a guarded one of the gateway', (t) => {
  const targets = [
    '/performance%2Fhealth',
    '/performance%2fhealth',
    '//performance/health',
    '/performance//health',
    '/performance;x/health',
    '/performance/;x=1/health',
    '/x/..%2fperformance',
    '/x%2F..%2Fperformance/pools',
    '/x;/..%2f;a/performance;b',
    '/..;/performance',
    '/x/..;/performance/health',
    '//metrics',
    '/metrics;',
    '/api%2Fv1/performance/health',
    '/%70erformance%2fhealth',
    '/a%2F..%2F..%2Fb',
  ]
  for (const target of targets) {
    const { refusal } = admit(all, { target })
    t.match(refusal, { code: 'HR_REQUEST_PATH_AMBIGUOUS', statusCode: 400 }, target)
  }
  for (const target of ['/a%2Fb', '//a', '/a;b', '/x/performance%2Fhealth', '/performances;x', '/a?/performance%2F']) {
    t.equal(code(admit(all, { target })), 'admitted', target)
  }
  t.end()
})

void test('a path is refused that, read in another way, reaches a route that has another guard', (t) => {
  const admission = admissionOf(
    { key: '/*' },
    { key: '/vault/*', guard: 'keys' },
    { key: '/safe/*', guard: 'keys' },
    { key: '/office/*', guard: 'the group staff' },
    { key: 'PUT /drop/*', guard: 'keys' },
  )
  for (const target of ['/vault%2Fkey', '//vault/key', '/vault;a/key', '/open/..%2Fvault/key']) {
    t.equal(code(admit(admission, { target })), 'HR_REQUEST_PATH_AMBIGUOUS', target)
  }
  t.equal(code(admit(admission, { target: '/vault/a%2Fb' })), 'admitted', 'its own guard is enough')
  t.equal(code(admit(admission, { target: '/vault/..%2Fsafe/key' })), 'admitted', 'so is the same guard')
  t.equal(code(admit(admission, { target: '/vault/..%2Fopen' })), 'admitted', 'nobody is asked there')
  for (const target of ['/vault/..%2Foffice/key', '/vault/..;/office/key', '/office/..%2Fvault/key']) {
    t.equal(
      code(admit(admission, { target })),
      'HR_REQUEST_PATH_AMBIGUOUS',
      `${target}: whoever has a key may be no staff`,
    )
  }
  t.equal(code(admit(admission, { target: '//drop/a' })), 'admitted', 'with this method it is not guarded')
  t.equal(code(admit(admission, { method: 'PUT', target: '//drop/a' })), 'HR_REQUEST_PATH_AMBIGUOUS')
  t.end()
})

void test('no field names a method that another guard is for', (t) => {
  const kept = (target: string, ...routes: Route[]): number => {
    const fields = ['Host', 'a', 'X-HTTP-Method-Override', 'DELETE', 'x_http_method', 'DELETE']
    const { exchange, refusal } = admit(admissionOf(...routes), { method: 'POST', target, fields })
    t.equal(refusal, undefined)
    return exchange.fields.kept.length / 2
  }
  const admins = { key: 'DELETE /orders/*', guard: 'the group admins' }
  t.equal(kept('/orders/7', { key: 'POST /orders/*', guard: 'keys' }, admins), 0)
  t.equal(kept('/orders/7', { key: '/*' }, admins), 0)
  t.equal(kept('/orders/7', { key: 'POST /orders/*' }, { key: '/*', guard: 'keys' }), 0, 'where no route names it')
  t.equal(kept('/carts/7', { key: '/*' }, admins), 2, 'elsewhere it is for the upstream to judge')
  t.equal(kept('/orders/7', { key: 'POST /orders/*', guard: 'the group admins' }, admins), 2, 'so it is by one guard')
  t.equal(kept('/orders/7', { key: '/*', guard: 'keys' }, { key: 'DELETE /orders/*' }), 2, 'and where nobody is asked')
  t.end()
})

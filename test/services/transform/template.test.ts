import { test } from 'tap'
import { Exchange } from '../../../services/downstream/exchange.ts'
import { Peer } from '../../../services/downstream/peer.ts'
import { readRequestFields } from '../../../services/http/request-fields.ts'
import { CompiledFields } from '../../../services/transform/field-changes.ts'
import { refusedName } from '../../../services/transform/field-names.ts'
import { CompiledQuery } from '../../../services/transform/query-changes.ts'
import { parseTemplate, Template, TemplateFault } from '../../../services/transform/template.ts'

function exchangeOf(fields: string[] = [], query = ''): Exchange {
  const peer = new Peer({ remoteAddress: '127.0.0.1' }, { includes: () => false } as never)
  const exchange = new Exchange({
    protocol: '1.1',
    method: 'GET',
    target: '/',
    fields: readRequestFields(fields),
    body: null,
    peer,
  })
  exchange.query = query
  exchange.requestId = 'r-1'
  exchange.parameters = ['a%2Fb']
  exchange.identity = {
    id: 'x',
    scheme: 'jwt',
    consumer: 'shop',
    tier: null,
    groups: [],
    scopes: [],
    claims: { sub: 'u\r\nx-admin: 1', level: 3, list: ['a'] },
  }
  return exchange
}

const render = (text: string, exchange = exchangeOf(['X-Tenant', 't'], '?q=a+b&q=c')): string | undefined =>
  new Template(text, ['id']).render(exchange)

void test('a template has the values of its request', async (t) => {
  t.equal(
    render('${header.x-tenant}/${query.q}/${param.id}/${consumer}/${claim.level}/${requestId}$'),
    't/a b/a/b/shop/3/r-1$',
  )
  for (const missing of ['${header.none}', '${query.none}', '${claim.none}', '${claim.list}', '${claim.toString}'])
    t.equal(render(`x${missing}`), undefined, missing)
  t.equal(render('${header.x-tenant}', exchangeOf(['x-tenant', 'x'.repeat(9_000)])), undefined, 'too long')
})

void test('what is no template is said', async (t) => {
  for (const text of ['${nothing}', '${header.a b}', '${', '${header.}', '${header}', 'a ${consumer'])
    t.ok(parseTemplate(text) instanceof TemplateFault, text)
  t.same(parseTemplate('$ {x} }'), [{ kind: 'text', text: '$ {x} }' }])
})

void test('a value that could end its field leaves the field out', async (t) => {
  const nothing = { set: [], add: [], remove: [], rename: [] } as const
  const changes = new CompiledFields(
    {
      ...nothing,
      set: [
        ['x-user', '${claim.sub}'],
        ['x-a', '${query.a}'],
        ['x-b', '${query.b}'],
        ['x-c', ' ${query.c} '],
      ],
    },
    [],
  )
  const fields = ['X-User', 'forged', 'y', '1']
  changes.apply(fields, exchangeOf([], '?a=1%0d%0ax-admin:%201&b=%00&c=ok%C3%A9'))
  t.same(fields, ['y', '1', 'x-c', 'oké'])
})

void test('fields are removed, renamed, set and added, by what has come', async (t) => {
  const changes = new CompiledFields(
    {
      remove: ['x-secret'],
      rename: [['x-old', 'x-new']],
      set: [['x-copy', '${header.x-secret}']],
      add: [['x-many', '2']],
    },
    [],
  )
  const exchange = exchangeOf(['X-Secret', 's', 'X-OLD', '1', 'x-many', '1', 'X-Copy', 'forged'])
  changes.apply(exchange.fields.kept, exchange)
  t.same(exchange.fields.kept, ['x-new', '1', 'x-many', '1', 'x-copy', 's', 'x-many', '2'])
})

void test('what is set or removed of a request is there under no name that a server could take for it', async (t) => {
  const given = { set: [['x-tenant', 'acme']], add: [], remove: ['x-debug'], rename: [['x_old', 'x-new']] } as const
  const forged = ['X_Tenant', 'forged', 'x.tenant', 'forged', 'X_Debug', '1', 'x_old', '2', 'x-tenants', '3']
  const request = [...forged]
  new CompiledFields(given, [], 'request').apply(request, exchangeOf([]))
  t.same(request, ['x-new', '2', 'x-tenants', '3', 'x-tenant', 'acme'])
})

void test('a query keeps what is not named to the byte, and no value begins another parameter', async (t) => {
  const changes = new CompiledQuery(
    {
      set: [
        ['lang', '${header.x-lang}'],
        ['id', '${param.id}'],
      ],
      remove: ['utm'],
      rename: [['q', 'query']],
    },
    ['id'],
  )
  const exchange = exchangeOf(['x-lang', 'a&b=c#d'], '?q=a+b&%75tm=1&x=%zz&lang=forged&y')
  t.equal(changes.apply(exchange), '?query=a+b&x=%zz&y&lang=a%26b%3Dc%23d&id=a%2Fb')
  t.equal(new CompiledQuery({ set: [], remove: ['a'], rename: [] }, []).apply(exchangeOf([], '?a')), '')
})

void test('names that the gateway writes itself are none of a route', async (t) => {
  for (const name of ['Host', 'content-length', 'Transfer-Encoding', 'connection', 'x-forwarded-for', 'a b', ''])
    t.ok(refusedName(name, 'request'), name)
  for (const name of ['date', 'content-length', 'x-request-id', 'a\r\nb']) t.ok(refusedName(name, 'response'), name)
  t.equal(refusedName('x-a', 'request'), undefined)
})

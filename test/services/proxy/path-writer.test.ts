import fc from 'fast-check'
import { test } from 'tap'
import { canonicalTarget } from '../../../services/http/canonical-path.ts'
import { type PathWriter, pathWriter } from '../../../services/proxy/path-writer.ts'
import { parseRouteKey } from '../../../services/routing/pattern.ts'
import { RouteTable } from '../../../services/routing/table.ts'

interface Route {
  send(path: string): string
  back(path: string, of: string): string | undefined
  writer: PathWriter | null
}

/** A route by its key, with the parameters that its table finds. */
function route(key: string, { strip = false, rewrite = null as string | null } = {}): Route {
  const pattern = parseRouteKey(key)
  const table = new RouteTable([{ pattern }])
  const writer = pathWriter(pattern, strip, rewrite)
  const parameters = (path: string): string[] => table.match('GET', 'h', path)?.parameters ?? []
  return {
    writer,
    send: (path) => (writer === null ? path : writer.send(path, parameters(path))),
    back: (path, of) => (writer === null ? path : writer.back(path, parameters(of))),
  }
}

void test('without rewriting a path goes on as it is', (t) => {
  t.equal(route('/api/*').writer, null)
  t.equal(route('/:any/*', { strip: true }).writer, null, 'nothing stands before the first parameter')
  t.end()
})

void test('stripPrefix sends what follows the text before the first parameter', (t) => {
  const api = route('/api/v1/*', { strip: true })
  t.equal(api.send('/api/v1/a/b'), '/a/b')
  t.equal(api.send('/api/v1/'), '/')
  t.equal(api.send('/api/v1//a'), '//a')
  t.equal(route('/users/:id', { strip: true }).send('/users/7'), '/7')
  t.equal(route('/only', { strip: true }).send('/only'), '/')
  t.end()
})

void test('a rewrite is filled from the parameters, in any order, also leaving some out', (t) => {
  t.equal(route('/vehicles/:id', { rewrite: '/api/vehicles/:id/full' }).send('/vehicles/7'), '/api/vehicles/7/full')
  t.equal(route('/:a/:b/*', { rewrite: '/:b/x/:a/*' }).send('/1/2/3/4'), '/2/x/1/3/4')
  t.equal(route('/a/*', { rewrite: '/v2/*' }).send('/a/'), '/v2/')
  t.equal(route('/a/:x/*', { rewrite: '/fixed' }).send('/a/1/2'), '/fixed')
  t.equal(route('/a/:x', { rewrite: '/' }).send('/a/1'), '/')
  t.end()
})

void test('a rewrite that asks for what the path does not have is refused', (t) => {
  for (const rewrite of ['/x/:other', '/x/*', '/:id/:id', '/a?b', '/a/../b']) {
    t.throws(() => route('/users/:id', { rewrite }), { code: 'HR_ROUTE_INVALID' }, rewrite)
  }
  t.end()
})

void test('a path of the upstream becomes the public one, or stays where the route cannot produce it', (t) => {
  const vehicles = route('/vehicles/:id', { rewrite: '/api/v2/:id' })
  t.equal(vehicles.back('/api/v2/9', '/vehicles/7'), '/vehicles/9')
  t.equal(vehicles.back('/api/v2/9/x', '/vehicles/7'), undefined)
  t.equal(vehicles.back('/other', '/vehicles/7'), undefined)
  const partly = route('/:tenant/files/*', { rewrite: '/files/*' })
  t.equal(partly.back('/files/b', '/acme/files/a'), '/acme/files/b', 'what the rewrite leaves out stays as asked')
  t.equal(route('/a.c/*', { rewrite: '/x.y/*' }).back('/xzy/1', '/a.c/1'), undefined, 'text is text')
  const only = route('/only', { strip: true })
  t.equal(only.back('/', '/only'), '/only')
  t.equal(only.back('/elsewhere', '/only'), undefined)
  t.equal(route('/u/:id', { strip: true }).back('/1/2', '/u/7'), undefined)
  t.equal(route('/u/:id', { strip: true }).back('/', '/u/7'), undefined)
  t.end()
})

void test('the Path of a cookie is a prefix', (t) => {
  const strip = route('/api/*', { strip: true }).writer
  t.equal(strip?.backPrefix('/'), '/api')
  t.equal(strip?.backPrefix('/sub'), '/api/sub')
  const rewrite = route('/public/*', { rewrite: '/api/v2/*' }).writer
  t.equal(rewrite?.backPrefix('/api/v2'), '/public')
  t.equal(rewrite?.backPrefix('/api/v2/x'), '/public/x')
  t.equal(rewrite?.backPrefix('/api/v22'), '/api/v22')
  t.equal(rewrite?.backPrefix('/'), '/', 'one that holds all of the upstream holds all of the gateway')
  t.equal(route('/*', { rewrite: '/in/*' }).writer?.backPrefix('/in'), '/')
  t.end()
})

void test('what is sent for a path comes back as that path', (t) => {
  const text = fc.constantFrom('a', 'b.c', '@x%2Fy', '%20', 'v2', ';p', '~')
  const rest = fc.array(fc.oneof(text, fc.constant('')), { maxLength: 4 }).map((parts) => parts.join('/'))
  const routes: [key: string, options: { strip?: boolean; rewrite?: string }, path: fc.Arbitrary<string>][] = [
    ['/api/*', { strip: true }, rest.map((r) => `/api/${r}`)],
    ['/api/v2/:id', { strip: true }, text.map((x) => `/api/v2/${x}`)],
    ['/only', { strip: true }, fc.constant('/only')],
    ['/api/*', { rewrite: '/v2/*' }, rest.map((r) => `/api/${r}`)],
    ['/*', { rewrite: '/deep/in/*' }, rest.map((r) => `/${r}`)],
    ['/in/*', { rewrite: '/*' }, rest.map((r) => `/in/${r}`)],
    ['/:a/x/:b/*', { rewrite: '/:b/:a/*' }, fc.tuple(text, text, rest).map(([a, b, r]) => `/${a}/x/${b}/${r}`)],
    ['/:a/*', { rewrite: '/files/*' }, fc.tuple(text, rest).map(([a, r]) => `/${a}/${r}`)],
    ['/u/:id', { rewrite: '/users/:id/profile' }, text.map((x) => `/u/${x}`)],
  ]
  for (const [key, options, paths] of routes) {
    const { send, back } = route(key, options)
    fc.assert(
      fc.property(paths, (raw) => {
        const canonical = canonicalTarget(raw)
        if (typeof canonical === 'string') return
        const sent = send(canonical.path)
        if (!sent.startsWith('/')) throw new Error(`sent ${sent}`)
        const returned = back(sent, canonical.path)
        if (returned !== canonical.path) throw new Error(`${key}: ${canonical.path} → ${sent} → ${returned}`)
      }),
    )
  }
  t.end()
})

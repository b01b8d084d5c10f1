import { test } from 'tap'
import { resolveRouteAccess, type RouteAccessInput } from '../../../services/access/route/options.ts'
import { guardOf } from '../../../services/proxy/plan.ts'

const NOBODY = { methods: [], consumers: [], groups: [], scopes: [] }
const NOTHING = {
  scopes: [],
  groups: [],
  claims: {},
  allow: [],
  deny: [],
  addresses: { allow: [], deny: [] },
  public: false,
}

const guard = (access?: RouteAccessInput | string[]): string => guardOf({ access: resolveRouteAccess(access) })

void test('a guard is what is asked of callers, and none where everybody is let in', (t) => {
  t.equal(guard(), '')
  t.equal(guard(['key', 'anonymous']), '', 'who shows nothing passes')
  const keys = { ...NOTHING, by: ['key'] }
  t.equal(guard({ ...keys, public: true }), guard(['key']), 'how its answers are stored is no part of it')
  const deny = [{ ...NOBODY, consumers: ['acme'] }]
  const addresses = { allow: [], deny: ['192.0.2.0/24'] }
  const guards = [
    guard(['key']),
    guard({ ...keys, scopes: ['write'] }),
    guard({ ...NOTHING, by: ['key', 'anonymous'], deny }),
    guard({ ...NOTHING, by: ['key', 'anonymous'], addresses }),
    guard({ ...NOTHING, by: [], addresses }),
    '',
  ]
  t.equal(new Set(guards).size, guards.length)
  t.end()
})

import { parseList, type Item } from 'structured-headers'
import { test } from 'tap'
import { forwardStatus, hitStatus } from '../../../../services/cache/rules/cache-status.ts'

void test('a hit says how long it is fresh, negative once stale (RFC 9211 §2.1, §2.4)', (t) => {
  t.equal(hitStatus(30), 'headrace; hit; ttl=30')
  t.equal(hitStatus(-412), 'headrace; hit; ttl=-412')
  t.equal(hitStatus(1, 'k'), 'headrace; hit; ttl=1; key="k"')
  t.end()
})

void test('a forwarded request says why, and what became of it (RFC 9211 §2.2 to §2.8)', (t) => {
  t.equal(forwardStatus({ reason: 'uri-miss' }), 'headrace; fwd=uri-miss')
  t.equal(forwardStatus({ reason: 'bypass', detail: 'unsafe' }), 'headrace; fwd=bypass; detail="unsafe"')
  t.equal(
    forwardStatus({
      reason: 'stale',
      status: 304,
      ttl: -3,
      stored: true,
      collapsed: true,
      key: 'GET /a',
      detail: 'x',
    }),
    'headrace; fwd=stale; fwd-status=304; ttl=-3; stored; collapsed; key="GET /a"; detail="x"',
  )
  t.end()
})

void test('any key makes a field that parses', (t) => {
  for (const key of ['"quoted" \\ back', 'line\nbreak: 1', '\u0000\u007f', 'ümlaut 気', '\ud800', '']) {
    const [member] = parseList(forwardStatus({ reason: 'uri-miss', key })) as Item[]
    t.equal(typeof member?.[1].get('key'), 'string', JSON.stringify(key))
  }
  const [member] = parseList(forwardStatus({ reason: 'uri-miss', key: 'a"b\\c' })) as Item[]
  t.equal(member?.[1].get('key'), 'a"b\\c')
  t.end()
})

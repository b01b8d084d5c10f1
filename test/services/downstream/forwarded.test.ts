import { test } from 'tap'
import { readForwarded } from '../../../services/downstream/forwarded.ts'

const nodes = (value: string): (string | undefined)[] => readForwarded(value).map((element) => element.for)

void test('elements are read from the end, with quotes, escapes and in any case', (t) => {
  t.strictSame(readForwarded('For="[2001:db8::1]:4711";PROTO=https , for=_hidden;host="a.test:80";by=203.0.113.9'), [
    { text: 'for=_hidden;host="a.test:80";by=203.0.113.9', for: '_hidden', host: 'a.test:80', proto: undefined },
    { text: 'For="[2001:db8::1]:4711";PROTO=https', for: '[2001:db8::1]:4711', host: undefined, proto: 'https' },
  ])
  t.strictSame(nodes('for="a,b", for="say \\"hi\\", for=x", for="ends in \\\\"'), [
    'ends in \\',
    'say "hi", for=x',
    'a,b',
  ])
  t.strictSame(nodes('for=1.1.1.1; proto=http ;, ,for=2.2.2.2,'), ['2.2.2.2', '1.1.1.1'])
  t.strictSame(nodes(''), [])
  t.end()
})

void test('what is malformed hides what stands before it, and nothing behind it', (t) => {
  for (const garbage of [
    'for="open',
    'y="',
    'for=a b',
    'for',
    'for=',
    '=a',
    'for=1.2.3.4:80',
    'for=[::1]',
    'for=a;for=b',
    'for="a"b',
    'for=a"b"',
    'for = a',
    'for="a\\"',
    '"',
    ';x',
  ]) {
    t.strictSame(nodes(`for=6.6.6.6, ${garbage}, for=1.1.1.1, for=2.2.2.2`), ['2.2.2.2', '1.1.1.1'], garbage)
    t.strictSame(nodes(garbage), [], garbage)
  }
  t.end()
})

void test('a list has an end, and is read in one pass', (t) => {
  t.equal(nodes('for=a,'.repeat(1_000)).length, 64)
  // Quadratic, each of these would take seconds.
  for (const text of ['"', '\\"', '",', 'a=",', 'a="\\', ' ', ';', ',']) {
    for (let turn = 0; turn < 100; turn++) readForwarded(text.repeat(32_000 / text.length))
  }
  t.end()
})

import { test } from 'tap'
import { parseAuthority } from '../../../services/http/host.ts'

void test('a host is told apart from its port, and compared without case or final dot', (t) => {
  const rows: [string, string, string][] = [
    ['example.com', 'example.com', 'example.com'],
    ['Example.COM:8080', 'example.com:8080', 'example.com'],
    ['example.com.', 'example.com.', 'example.com'],
    ['localhost:0', 'localhost:0', 'localhost'],
    ['127.0.0.1:80', '127.0.0.1:80', '127.0.0.1'],
    ['[::1]', '[::1]', '[::1]'],
    ['[2001:DB8::1]:443', '[2001:db8::1]:443', '[2001:db8::1]'],
    ['[::ffff:1.2.3.4]', '[::ffff:1.2.3.4]', '[::ffff:1.2.3.4]'],
    ['under_score', 'under_score', 'under_score'],
    ['a.test:65535', 'a.test:65535', 'a.test'],
  ]
  for (const [value, authority, name] of rows) t.strictSame(parseAuthority(value), { authority, name }, value)
  t.end()
})

void test('everything else is no host', (t) => {
  const bad = [
    '',
    ' ',
    'a b',
    'a/b',
    'a?b',
    'a#b',
    'u@a',
    'http://a',
    'a,b',
    'a, b',
    'a:',
    'a:x',
    'a:65536',
    'a:123456',
    'a:1:2',
    ':80',
    '.',
    '.a',
    'a..b',
    '[::1',
    '::1]',
    '[]',
    '[g]',
    '::1',
    'a\\b',
    'a%00',
    'caf\u00e9',
    '\u0000',
    'a\tb',
    'x'.repeat(300),
  ]
  for (const value of bad) t.equal(parseAuthority(value), undefined, JSON.stringify(value.slice(0, 20)))
  t.end()
})

void test('a host that is asked for again, after thousands of others, is the same', (t) => {
  const first = parseAuthority('again.test')
  t.equal(parseAuthority('again.test'), first, 'remembered')
  for (let i = 0; i < 3_000; i++) parseAuthority(`h${i}.test`)
  t.strictSame(parseAuthority('again.test'), first)
  t.end()
})

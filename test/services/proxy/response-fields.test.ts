import { test } from 'tap'
import { readResponseFields } from '../../../services/proxy/response-fields.ts'

void test('end-to-end fields go on, each line of its own, and framing is told apart', (t) => {
  t.strictSame(readResponseFields({ 'content-length': '12', etag: '"a"', 'set-cookie': ['a=1', 'b=2'], empty: '' }), {
    fields: ['etag', '"a"', 'set-cookie', 'a=1', 'set-cookie', 'b=2', 'empty', ''],
    length: 12,
    chunked: false,
  })
  t.match(readResponseFields({ 'transfer-encoding': 'Chunked' }), { length: null, chunked: true, fields: [] })
  t.match(readResponseFields({}), { length: null, chunked: false })
  t.end()
})

void test('hop-by-hop fields and what Connection names stay behind', (t) => {
  const head = {
    connection: ['X-A, close', 'x-b'],
    'keep-alive': 'timeout=5',
    upgrade: 'h2c',
    'proxy-connection': 'close',
    'proxy-authenticate': 'Basic',
    'x-request-id': 'theirs',
    ':status': '200',
    'x-a': '1',
    'x-b': '2',
    'x-c': '3',
  }
  t.strictSame(readResponseFields(head)?.fields, ['x-c', '3'])
  t.match(
    readResponseFields({ connection: 'content-length', 'content-length': '3' }),
    { length: 3 },
    'framing stays framing',
  )
  t.end()
})

void test('a head that cannot be passed on is none', (t) => {
  const bad: Record<string, string | string[]>[] = [
    { a: 'x\r\ny: z' },
    { a: 'x\u0000' },
    { a: '\u007f' },
    { a: ['fine', 'not\nfine'] },
    { a: '\u0100' },
    { 'content-length': '-1' },
    { 'content-length': '1, 1' },
    { 'content-length': ['1', '1'] },
    { 'content-length': '' },
    { 'content-length': '1e3' },
    { 'content-length': '9'.repeat(16) },
    { 'transfer-encoding': 'gzip, chunked' },
    { 'transfer-encoding': ['chunked', 'chunked'] },
    { 'transfer-encoding': 'identity' },
  ]
  for (const head of bad) t.equal(readResponseFields(head), undefined, JSON.stringify(head))
  t.ok(readResponseFields({ a: 'tab\tand caf\u00e9' }))
  t.end()
})

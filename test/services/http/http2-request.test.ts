import { test } from 'tap'
import { checkHttp2Head, type Http2HeadFault } from '../../../services/http/http2-request.ts'

const HEAD = [':method', 'GET', ':scheme', 'https', ':path', '/', ':authority', 'a.example']

function check(raw: string[]): Http2HeadFault | null {
  const headers: Record<string, string> = {}
  for (let i = 0; i < raw.length; i += 2) headers[raw[i] as string] = raw[i + 1] as string
  return checkHttp2Head(headers, raw)
}

void test('a well-formed head passes', async (t) => {
  t.equal(check(HEAD), null)
  t.equal(check([...HEAD, 'te', 'trailers', 'content-length', '5', 'cookie', 'a', 'cookie', 'b']), null)
  t.equal(check([...HEAD, 'host', 'A.example']), null, 'the same host in other case')
  t.equal(check([':method', 'GET', ':scheme', 'http', ':path', '/', 'host', 'a']), null, 'host alone')
  t.equal(check([':method', 'CONNECT', ':authority', 'a:1']), null, 'CONNECT is refused elsewhere')
})

void test('a malformed head resets its stream', async (t) => {
  const cases: [string, string[]][] = [
    ['HR_REQUEST_PSEUDO_HEADER', [...HEAD, ':foo', 'x']],
    ['HR_REQUEST_PSEUDO_HEADER', [...HEAD, ':status', '200']],
    ['HR_REQUEST_PSEUDO_HEADER', [...HEAD, ':path', '/x']],
    ['HR_REQUEST_PSEUDO_HEADER', ['a', 'b', ...HEAD]],
    ['HR_REQUEST_PSEUDO_HEADER', HEAD.slice(2)],
    ['HR_REQUEST_PSEUDO_HEADER', [':method', 'GET', ':scheme', 'ftp', ':path', '/', ':authority', 'a']],
    ['HR_REQUEST_FIELD', [...HEAD, 'connection', 'close']],
    ['HR_REQUEST_FIELD', [...HEAD, 'keep-alive', '5']],
    ['HR_REQUEST_FIELD', [...HEAD, 'proxy-connection', 'close']],
    ['HR_REQUEST_FIELD', [...HEAD, 'transfer-encoding', 'chunked']],
    ['HR_REQUEST_FIELD', [...HEAD, 'upgrade', 'h2c']],
    ['HR_REQUEST_FIELD', [...HEAD, 'http2-settings', 'AAA']],
    ['HR_REQUEST_FIELD', [...HEAD, 'te', 'gzip']],
    ['HR_REQUEST_FIELD_NAME', [...HEAD, 'X-Up', '1']],
    ['HR_REQUEST_FRAMING', [...HEAD, 'content-length', '+5']],
    ['HR_REQUEST_FRAMING', [...HEAD, 'content-length', '5', 'content-length', '5']],
  ]
  for (const [code, raw] of cases) t.match(check(raw), { kind: 'reset', code }, `${code} ${raw.slice(-2).join(': ')}`)
})

void test('a host that disagrees with :authority, or a method that is none, is answered 400', async (t) => {
  t.match(check([...HEAD, 'host', 'b.example']), { kind: 'answer', status: 400, code: 'HR_REQUEST_HOST' })
  t.match(check([':method', 'get', ...HEAD.slice(2)]), { kind: 'answer', code: 'HR_REQUEST_METHOD' })
})

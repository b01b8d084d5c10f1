import { test } from 'tap'
import { refuseFraming } from '../../../services/http/framing.ts'

test('sound framing passes', async (t) => {
  t.equal(refuseFraming([], '1.1'), null)
  t.equal(refuseFraming(['Host', 'a', 'Content-Length', '5'], '1.1'), null)
  t.equal(refuseFraming(['Transfer-Encoding', 'ChUnKeD'], '1.1'), null, 'codings compare without case')
  t.equal(refuseFraming(['content-length', '0'], '1.0'), null)
})

test('what Node lets through and two parsers may read differently is refused', async (t) => {
  for (const headers of [
    ['Transfer-Encoding', 'identity', 'Transfer-Encoding', 'chunked'],
    ['Transfer-Encoding', 'identity, chunked'],
    ['Transfer-Encoding', 'gzip, chunked'],
    ['Transfer-Encoding', ',chunked'],
    ['Transfer-Encoding', 'identity'],
    ['Transfer-Encoding', ''],
    ['Transfer-Encoding', 'chunked', 'Content-Length', '5'],
    ['Content-Length', '5', 'Content-Length', '5'],
    ['Content-Length', '+5'],
    ['Content-Length', '5, 5'],
    ['Content-Length', '-1'],
    ['Content-Length', ''],
    ['Content-Length', '0x5'],
    ['Content-Length', '1152921504606846976'],
  ]) {
    t.match(refuseFraming(headers, '1.1'), { status: 400, code: 'HR_REQUEST_FRAMING' }, JSON.stringify(headers))
  }
})

test('a transfer coding in an HTTP/1.0 request is faulty framing', async (t) => {
  t.match(refuseFraming(['Transfer-Encoding', 'chunked'], '1.0'), { code: 'HR_REQUEST_FRAMING' })
})

test('versions that Node parses but nobody speaks over HTTP/1 are refused', async (t) => {
  t.match(refuseFraming([], '0.9'), { code: 'HR_REQUEST_VERSION' })
  t.match(refuseFraming([], '2.0'), { code: 'HR_REQUEST_VERSION' })
})

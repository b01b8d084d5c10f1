import { test } from 'tap'
import { refuseFraming } from '../../../services/downstream/framing.ts'
import { readRequestFields } from '../../../services/http/request-fields.ts'

type Protocol = Parameters<typeof refuseFraming>[1]

const refusalOf = (raw: string[], protocol: Protocol) => refuseFraming(readRequestFields(raw), protocol)

void test('sound framing passes', async (t) => {
  t.equal(refusalOf([], '1.1'), undefined)
  t.equal(refusalOf(['Host', 'a', 'Content-Length', '5'], '1.1'), undefined)
  t.equal(refusalOf(['Transfer-Encoding', 'ChUnKeD'], '1.1'), undefined, 'codings compare without case')
  t.equal(refusalOf(['content-length', '0'], '1.0'), undefined)
  t.equal(refusalOf(['content-length', '5'], '2.0'), undefined)
})

void test('what Node lets through and two parsers may read differently is refused', async (t) => {
  for (const headers of [
    ['Transfer-Encoding', 'identity', 'Transfer-Encoding', 'chunked'],
    ['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked'],
    ['Transfer-Encoding', '', 'Transfer-Encoding', 'chunked'],
    ['Transfer-Encoding', 'identity, chunked'],
    ['Transfer-Encoding', 'gzip, chunked'],
    ['Transfer-Encoding', ',chunked'],
    ['Transfer-Encoding', 'identity'],
    ['Transfer-Encoding', ''],
    ['Transfer-Encoding', 'chunked', 'Content-Length', '5'],
    ['Transfer-Encoding', 'chunked', 'Content-Length', ''],
    ['Content-Length', '5', 'Content-Length', '5'],
    ['Content-Length', '', 'Content-Length', '5'],
    ['Content-Length', '+5'],
    ['Content-Length', '5, 5'],
    ['Content-Length', '-1'],
    ['Content-Length', ''],
    ['Content-Length', '0x5'],
    ['Content-Length', '1152921504606846976'],
  ]) {
    t.match(refusalOf(headers, '1.1'), { statusCode: 400, code: 'HR_REQUEST_FRAMING' }, JSON.stringify(headers))
  }
})

void test('a transfer coding in an HTTP/1.0 request is faulty framing, and an upgrade there is refused', async (t) => {
  t.match(refusalOf(['Transfer-Encoding', 'chunked'], '1.0'), { code: 'HR_REQUEST_FRAMING' })
  t.match(refusalOf(['Upgrade', 'websocket'], '1.0'), { code: 'HR_REQUEST_FIELD' })
})

void test('HTTP/2 has neither codings nor fields of the connection, and one length', async (t) => {
  for (const name of ['transfer-encoding', 'connection', 'upgrade']) {
    t.match(refusalOf([name, 'chunked'], '2.0'), { statusCode: 400, code: 'HR_REQUEST_FIELD' }, name)
  }
  t.match(refusalOf(['content-length', '1', 'content-length', '1'], '2.0'), { code: 'HR_REQUEST_FRAMING' })
})

import { test } from 'tap'
import { outcomeOf } from '../../../services/upstream/outcome.ts'

const error = (code: string | undefined, message = 'it failed', name = 'Error'): Error & { code?: string } =>
  Object.assign(new Error(message), { name, ...(code !== undefined && { code }) })

void test('an error means another thing by how far the attempt had come', (t) => {
  t.equal(outcomeOf(error('ECONNRESET'), 'waiting'), 'connect_error')
  t.equal(outcomeOf(error('ECONNRESET'), 'sent'), 'reset')
  t.equal(outcomeOf(error('ECONNRESET'), 'receiving'), 'truncated')
  t.equal(outcomeOf(error('HPE_INVALID_CHUNK_SIZE'), 'receiving'), 'truncated')
  t.end()
})

void test('no connection: refused, no such name, a certificate; or none in time', (t) => {
  for (const code of ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'DEPTH_ZERO_SELF_SIGNED_CERT', undefined]) {
    t.equal(outcomeOf(error(code), 'waiting'), 'connect_error', String(code))
  }
  t.equal(outcomeOf(error('UND_ERR_CONNECT_TIMEOUT'), 'waiting'), 'connect_timeout')
  t.equal(outcomeOf(error('ETIMEDOUT'), 'waiting'), 'connect_timeout')
  t.end()
})

void test('what the gateway itself is out of is no failure of the target', (t) => {
  const failed = (code: string, address: string): Error => Object.assign(error(code), { address })
  for (const code of ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']) {
    t.equal(outcomeOf(error(code), 'waiting'), 'out_of_resources', code)
    t.equal(outcomeOf(error(code), 'sent'), 'reset', `${code} on a connection`)
  }
  t.equal(outcomeOf(failed('EADDRNOTAVAIL', '10.0.0.1'), 'waiting'), 'out_of_resources', 'no port is left')
  t.equal(outcomeOf(failed('EADDRNOTAVAIL', '::1'), 'waiting'), 'connect_error', 'the machine may have no IPv6')
  const all = (...errors: Error[]): Error =>
    Object.assign(new AggregateError(errors, 'all failed'), { code: (errors[0] as { code?: string }).code })
  const lacking = failed('EMFILE', '10.0.0.1')
  const refused = failed('ECONNREFUSED', '10.0.0.1')
  t.equal(outcomeOf(all(lacking, lacking), 'waiting'), 'out_of_resources')
  t.equal(outcomeOf(all(lacking, refused), 'waiting'), 'connect_error', 'one address has said no')
  t.end()
})

void test('what is no HTTP, or none that undici takes, is an invalid response', (t) => {
  const invalid = [
    error('HPE_INVALID_CONSTANT'),
    error('UND_ERR_HEADERS_OVERFLOW'),
    error('UND_ERR_RES_CONTENT_LENGTH_MISMATCH'),
    error('UND_ERR_SOCKET', 'bad response'),
    error('UND_ERR_SOCKET', 'bad upgrade'),
    error(undefined, 'Expected HTTP/', 'HTTPParserError'),
    error('ERR_HTTP2_ERROR', 'Protocol error'),
    Object.assign(error('ERR_HTTP2_STREAM_ERROR'), { http2ErrorCode: 1 }),
  ]
  for (const one of invalid) t.equal(outcomeOf(one, 'sent'), 'invalid_response', `${one.code} ${one.message}`)
  t.equal(outcomeOf(error('UND_ERR_SOCKET', 'other side closed'), 'sent'), 'reset')
  t.equal(outcomeOf(Object.assign(error('ERR_HTTP2_STREAM_ERROR'), { http2ErrorCode: 2 }), 'sent'), 'reset')
  t.end()
})

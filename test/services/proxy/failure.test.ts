import { test } from 'tap'
import { failureOf, isUnsendable, unsendable } from '../../../services/proxy/failure.ts'
import { type Outcome, OUTCOMES } from '../../../services/upstream/snapshot.ts'

const EXPECTED: Partial<Record<Outcome, [status: number, code: string]>> = {
  connect_error: [502, 'HR_UPSTREAM_CONNECT'],
  connect_timeout: [504, 'HR_UPSTREAM_CONNECT_TIMEOUT'],
  out_of_resources: [503, 'HR_UPSTREAM_RESOURCES'],
  reset: [502, 'HR_UPSTREAM_RESET'],
  invalid_response: [502, 'HR_UPSTREAM_INVALID_RESPONSE'],
  first_byte_timeout: [504, 'HR_UPSTREAM_FIRST_BYTE_TIMEOUT'],
  total_timeout: [504, 'HR_UPSTREAM_TOTAL_TIMEOUT'],
  truncated: [502, 'HR_UPSTREAM_TRUNCATED'],
  idle_timeout: [504, 'HR_UPSTREAM_IDLE_TIMEOUT'],
  queue_full: [503, 'HR_UPSTREAM_QUEUE_FULL'],
}

void test('each way to fail has its answer: the upstream by its configured name, its address never', (t) => {
  const cause = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:80'), { code: 'ECONNREFUSED' })
  for (const outcome of OUTCOMES) {
    const error = failureOf(outcome, 'fleet', cause)
    const [status, code] = EXPECTED[outcome] ?? [502, 'HR_UPSTREAM_RESET']
    t.match(error, { statusCode: status, code }, outcome)
    t.match(error.message, "'fleet'")
    t.notMatch(error.message, /10\.0\.0\.1|ECONN/)
    if (outcome !== 'queue_full') t.equal(error.cause, cause)
  }
  t.strictSame(failureOf('queue_full', 'fleet', undefined).fields, ['retry-after', '2'])
  t.end()
})

void test('what undici refuses to write is the request’s fault', (t) => {
  const error = (code: string): Error & { code: string } => Object.assign(new Error('invalid header value'), { code })
  t.equal(isUnsendable(error('UND_ERR_INVALID_ARG')), true)
  t.equal(isUnsendable(error('UND_ERR_NOT_SUPPORTED')), true)
  t.equal(isUnsendable(error('UND_ERR_SOCKET')), false)
  t.match(unsendable(error('UND_ERR_INVALID_ARG')), { statusCode: 400, code: 'HR_REQUEST_UNSENDABLE' })
  t.end()
})

import { test } from 'tap'
import {
  eligibilityOf,
  forbidsTransforming,
  type Message,
  traitsOf,
} from '../../../../services/compression/rules/eligibility.ts'
import { compileMediaTypes } from '../../../../services/compression/rules/media-types.ts'

const policy = {
  types: compileMediaTypes(['text/*', 'application/json', 'application/*+json']),
  thresholdBytes: 1024,
}

const JSON_FIELDS = ['content-type', 'application/json; charset=utf-8']

function judge(fields: string[], message: Partial<Message> = {}): string {
  return eligibilityOf(
    { method: 'GET', hasRange: false, isFixed: false, status: 200, length: 2048, traits: traitsOf(fields), ...message },
    policy,
  )
}

void test('what the list of types has may be coded', (t) => {
  const rows: [string, string][] = [
    ['application/json', 'codable'],
    ['APPLICATION/JSON;charset=utf-8', 'codable'],
    ['application/problem+json', 'codable'],
    ['text/html ; charset=utf-8', 'codable'],
    ['text/event-stream', 'fixed'],
    ['image/png', 'fixed'],
    ['application/jsonx', 'fixed'],
    ['application/json/x+json', 'fixed'],
    ['context/text', 'fixed'],
    ['', 'fixed'],
  ]
  for (const [type, expected] of rows) t.equal(judge(['content-type', type]), expected, type)
  t.equal(judge([]), 'fixed', 'no type')
  t.end()
})

void test('a dot in a pattern is a dot', (t) => {
  const types = compileMediaTypes(['application/vnd.fleet.*'])
  t.ok(types('application/vnd.fleet.v1'))
  t.notOk(types('application/vndxfleetx'))
  t.end()
})

void test('what forbids it, or is coded already, stays as it is', (t) => {
  t.equal(judge([...JSON_FIELDS, 'cache-control', 'public, No-Transform']), 'fixed')
  t.equal(judge([...JSON_FIELDS, 'cache-control', 'max-age=5', 'cache-control', 'no-transform']), 'fixed')
  t.equal(judge([...JSON_FIELDS, 'cache-control', 'max-age=5']), 'codable')
  t.equal(judge([...JSON_FIELDS, 'content-encoding', 'br']), 'fixed')
  t.equal(judge([...JSON_FIELDS, 'content-encoding', 'identity']), 'codable')
  t.equal(judge([...JSON_FIELDS, 'cache-control', 'no-transform'], { status: 304 }), 'fixed')
  t.notOk(forbidsTransforming('x="no-transform-at-all"'))
  t.notOk(forbidsTransforming(undefined))
  t.end()
})

void test('what has no body, or a part, depends on the client and is not coded', (t) => {
  t.equal(judge(JSON_FIELDS, { method: 'HEAD' }), 'varying')
  t.equal(judge(JSON_FIELDS, { status: 204 }), 'varying')
  t.equal(judge(JSON_FIELDS, { status: 205 }), 'varying')
  t.equal(judge(JSON_FIELDS, { status: 206 }), 'varying')
  t.equal(judge(JSON_FIELDS, { hasRange: true }), 'varying')
  t.equal(judge(JSON_FIELDS, { length: 0 }), 'varying')
  t.equal(judge([], { status: 304 }), 'varying', 'a 304 does not say its type')
  t.equal(judge(JSON_FIELDS, { status: 304 }), 'varying')
  t.equal(judge(['content-type', 'image/png'], { status: 304 }), 'fixed', 'or does')
  t.equal(judge(JSON_FIELDS, { isFixed: true }), 'varying', 'the request forbids it')
  t.equal(judge(['content-type', 'image/png'], { isFixed: true }), 'fixed')
  t.equal(judge(['content-type', 'image/png'], { status: 206 }), 'fixed')
  t.end()
})

void test('below the threshold it is not worth it, and what has no length may be of any', (t) => {
  t.equal(judge(JSON_FIELDS, { length: 1023 }), 'small')
  t.equal(judge(JSON_FIELDS, { length: 1024 }), 'codable')
  t.equal(judge(JSON_FIELDS, { length: null }), 'codable')
  t.equal(judge(JSON_FIELDS, { status: 404 }), 'codable', 'errors too')
  t.end()
})

void test('several codings are told as one list', (t) => {
  t.equal(traitsOf(['content-encoding', 'gzip', 'content-encoding', 'BR']).coding, 'gzip, br')
  t.end()
})

import { test } from 'tap'
import { Operations } from '../../../services/openapi/found-operations.ts'
import { operationOf } from '../../../services/mock/operation.ts'
import { respond } from '../../../services/mock/response.ts'
import { Specification } from '../../../services/openapi/specification.ts'
import type { JsonObject } from '../../../services/openapi/document.ts'

const VEHICLE = { id: 1, name: 'Astra' }

const DOCUMENT: JsonObject = {
  openapi: '3.1.0',
  servers: [{ url: '/v1' }],
  paths: {
    '/vehicles/{id}': {
      get: {
        responses: {
          '404': { $ref: '#/components/responses/Gone' },
          '200': {
            headers: {
              'X-Rate': { schema: { type: 'integer', default: 9 } },
              'X-Maybe': { schema: { type: 'string' } },
            },
            content: {
              'application/json': {
                examples: {
                  full: { value: VEHICLE },
                  short: { value: { id: 1 } },
                  far: { externalValue: 'https://a.test' },
                },
              },
              'text/csv': { example: 'id\n1\n' },
              'application/xml': { schema: { type: 'object' } },
            },
          },
          '5XX': { description: 'broken' },
        },
      },
      delete: { responses: { '204': { description: 'gone' } } },
      post: {
        responses: { default: { content: { 'application/json': { schema: { type: 'string', pattern: 'x' } } } } },
      },
    },
    '/vehicles/newest': { get: { responses: { '200': { content: { 'application/json': { example: 'newest' } } } } } },
    '/files/{name}.{ext}': { get: { responses: {} } },
  },
  components: { responses: { Gone: { content: { 'application/problem+json': { example: { status: 404 } } } } } },
}

const specification = new Specification(DOCUMENT)
const operations = new Operations(specification, { upstream: 'a', document: DOCUMENT, base: '/', targets: [] })

function answer(request: string, wanted: { status?: number; example?: string; accept?: string } = {}): unknown {
  const [method = '', path = ''] = request.split(' ')
  try {
    const found = operationOf(operations, method, path)
    const { status = null, example = null, accept } = wanted
    const { status: said, fields, body } = respond(specification, found, { status, example, accept })
    return [said, fields.join('|'), String(body)]
  } catch (error) {
    const { code, message } = error as { code: string; message: string }
    return `${code} ${message}`
  }
}

const FULL = [200, 'x-rate|9|content-type|application/json', JSON.stringify(VEHICLE)]

void test('an operation is found by what the upstream would be sent, with its base or without', async (t) => {
  t.strictSame(answer('GET /v1/vehicles/7'), FULL)
  t.strictSame(answer('GET /vehicles/7'), FULL)
  t.strictSame(answer('HEAD /vehicles/7'), FULL)
  t.match(answer('GET /v1/vehicles/newest'), [200, '', /newest/].toSpliced(1, 1, /content-type/))
  t.match(
    answer('GET /files/a.txt'),
    /HR_MOCK_RESPONSE GET \/files\/\{name\}\.\{ext\} has no response 200; there is none/,
  )
  t.match(
    answer('GET /files/a'),
    /HR_MOCK_OPERATION The document has no operation GET \/files\/a; none of its paths fits/,
  )
  t.match(answer('PATCH /vehicles/7'), /HR_MOCK_OPERATION .* the path has GET, HEAD, POST, DELETE: add it under paths/)
  t.match(answer('GET /v2/vehicles/7'), /HR_MOCK_OPERATION/)
  t.notMatch(answer(`GET /files/hr_k3v9x2ab_${'canary'.repeat(4)}`), 'canary', 'no key is told back')
})

void test('status and example are chosen, and what lacks is named', async (t) => {
  t.strictSame(answer('GET /vehicles/7', { status: 404 }), [
    404,
    'content-type|application/problem+json',
    '{"status":404}',
  ])
  t.strictSame(answer('GET /vehicles/7', { status: 503 }), [503, '', ''])
  t.strictSame(answer('GET /vehicles/7', { example: 'short' }), [200, FULL[1], '{"id":1}'])
  t.strictSame(answer('DELETE /vehicles/7'), [204, '', ''])
  t.match(answer('GET /vehicles/7', { status: 418 }), /HR_MOCK_RESPONSE .* has no response 418; there is 200, 404, 5XX/)
  t.match(
    answer('GET /vehicles/7', { example: 'long' }),
    /HR_MOCK_EXAMPLE .*no example named 'long'; there is full, short, far\. Add/,
  )
  t.match(answer('GET /vehicles/7', { example: 'far' }), /HR_MOCK_EXAMPLE .*'far' has no value here/)
  t.match(
    answer('POST /vehicles/7'),
    /HR_MOCK_EXAMPLE application\/json in 200 of POST .*its schema has a pattern\. Add an example/,
  )
})

void test('the media type is the client’s, where the document has it', async (t) => {
  t.strictSame(answer('GET /vehicles/7', { accept: 'text/csv' }), [200, 'x-rate|9|content-type|text/csv', 'id\n1\n'])
  t.match(answer('GET /vehicles/7', { accept: 'image/png' }), /HR_MOCK_MEDIA_TYPE .*application\/json, text\/csv/)
  t.match(answer('GET /vehicles/7', { accept: 'application/xml' }), /HR_MOCK_EXAMPLE .*is no text/)
})

/** What it costs to say what may pass: each gate on a request without a body, and what is compiled when it is first asked for. */
import { Exchange } from '../../services/downstream/exchange.ts'
import { Peer } from '../../services/downstream/peer.ts'
import { corsGate } from '../../services/cors/cors-gate.ts'
import { resolveCors } from '../../services/cors/options.ts'
import type { Gate } from '../../services/gate/gate.ts'
import { readRequestFields } from '../../services/http/request-fields.ts'
import type { JsonObject } from '../../services/openapi/document.ts'
import { Operations } from '../../services/openapi/found-operations.ts'
import { Specification } from '../../services/openapi/specification.ts'
import { requestGate } from '../../services/request/request-gate.ts'
import { resolveRequest } from '../../services/request/options.ts'
import { securityGate } from '../../services/security-headers/security-gate.ts'
import { DocumentRules } from '../../services/validation/document-rules.ts'
import { Findings } from '../../services/validation/finding.ts'
import { MediaRules } from '../../services/validation/media-rules.ts'
import { ValidationRecord } from '../../services/validation/record.ts'
import { RouteValidation } from '../../services/validation/route-validation.ts'
import { resolveValidate } from '../../services/validation/options.ts'
import { ValidationGate } from '../../services/validation/validation-gate.ts'

const OPERATIONS = 100
const schema: JsonObject = {
  type: 'object',
  required: ['id'],
  properties: Object.fromEntries(
    Array.from({ length: 20 }, (_, i) => [`p${i}`, { type: 'string', maxLength: 100 } as JsonObject]),
  ),
}
const paths = Object.fromEntries(
  Array.from({ length: OPERATIONS }, (_, i) => [
    `/things${i}/{id}`,
    {
      get: {
        parameters: [
          { name: 'id', in: 'path', schema: { type: 'integer' } },
          { name: 'limit', in: 'query', schema: { type: 'integer', maximum: 100 } },
        ],
        responses: { '200': { content: { 'application/json': { schema } } } },
      },
    },
  ]),
)
const document: JsonObject = { openapi: '3.1.0', paths }
const specification = new Specification(document)
const operations = new Operations(specification, { upstream: 'a', document, base: '/', targets: [] })
const served = { specification, operations }

const peer = new Peer({ remoteAddress: '127.0.0.1' }, { includes: () => false } as never)
const exchangeFor = (path: string): Exchange => {
  const fields = readRequestFields(['origin', 'https://app.test', 'accept', '*/*', 'user-agent', 'bench', 'x-a', 'b'])
  const exchange = new Exchange({ protocol: '1.1', method: 'GET', target: path, fields, body: null, peer })
  exchange.path = path
  exchange.query = '?limit=10'
  exchange.reply = {} as never
  return exchange
}

const validation = new RouteValidation(resolveValidate(true, (path) => path) as never, {
  key: '/*',
  upstream: 'a',
  document: { known: () => served } as never,
  writer: null,
  record: new ValidationRecord(() => undefined),
})
const gates: Record<string, Gate> = {
  'nothing, the exchange alone': { step: 'dress', description: '', check: () => undefined },
  'security headers': securityGate({ securityHeaders: {} }) as Gate,
  cors: corsGate({ cors: resolveCors(true) }) as Gate,
  'cors, by origin': corsGate({
    cors: { ...(resolveCors(true) as never as object), origin: ['https://app.test'] } as never,
  }) as Gate,
  request: requestGate({
    request: resolveRequest({
      headers: { count: 50, required: ['x-a'] },
      query: { length: 100, duplicates: 'refuse' },
    }),
  }) as Gate,
  'validation, 2 parameters, the last of 100 operations': new ValidationGate(validation, {
    decompress: null,
    limitBytes: 1e6,
  }),
}

const rules = new DocumentRules(served)
const before = process.cpuUsage()
for (let i = 0; i < OPERATIONS; i++) {
  const found = rules.find('GET', `/things${i}/7`)
  if ('response' in found) found.response(200)?.body.wantsBody('application/json')
}
const { user, system } = process.cpuUsage(before)
console.error(
  `compiling an operation (2 parameters, an answer of 20 members): ${((user + system) / OPERATIONS / 1000).toFixed(1)} ms`,
)

const items = (sku: unknown): Buffer =>
  Buffer.from(JSON.stringify(Array.from({ length: 200 }, (_, i) => ({ id: i, sku, note: 'x'.repeat(60) }))))
const media = new MediaRules(
  specification,
  {
    'application/json': {
      schema: { type: 'array', items: { type: 'object', required: ['id'], properties: { sku: { type: 'string' } } } },
    },
  },
  'request',
)
for (const [name, body] of [
  ['valid', items('a')],
  ['with 200 faults', items(1)],
] as const) {
  for (let round = 0; round < 3; round++) {
    const start = process.cpuUsage()
    for (let i = 0; i < 300; i++) media.check('application/json', body, new Findings())
    const used = process.cpuUsage(start)
    if (round === 2) {
      console.error(`a body of ${body.length} bytes, ${name}: ${((used.user + used.system) / 300).toFixed(0)} µs`)
    }
  }
}

const ROUNDS = 50_000
for (const [name, gate] of Object.entries(gates)) {
  for (let round = 0; round < 3; round++) {
    const start = process.cpuUsage()
    for (let i = 0; i < ROUNDS; i++) void gate.check(exchangeFor(`/things${OPERATIONS - 1}/7`))
    const used = process.cpuUsage(start)
    if (round === 2) console.error(`${name}: ${((used.user + used.system) / ROUNDS).toFixed(2)} µs`)
  }
}

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolveConfig, serve } from '../index.ts'

/** Validation against the upstream's specification, and the drift report: `npx node examples/validation.ts`. */

const order = { type: 'object', required: ['sku'], properties: { sku: { type: 'string' } } }
const content = { 'application/json': { schema: order } }
const specification = {
  openapi: '3.1.0',
  info: { title: 'orders', version: '1' },
  paths: { '/orders': { post: { requestBody: { content }, responses: { '200': { description: 'taken', content } } } } },
}
const upstream = createServer((request, response) => {
  response.setHeader('content-type', 'application/json')
  // It takes every order, and says of each what its specification does not.
  response.end(JSON.stringify(request.url === '/openapi.json' ? specification : { sku: 7 }))
})
await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))

const running = await serve(
  resolveConfig({
    listen: { port: 0 },
    admin: { port: 0, token: 'example' },
    log: { level: 'silent' },
    upstreams: {
      orders: { targets: [`http://127.0.0.1:${(upstream.address() as AddressInfo).port}`], openapi: '/openapi.json' },
    },
    routes: { '/orders': { to: 'orders', validate: { requests: 'enforce', responses: 'log' } } },
  }),
)
const addressOf = (kind: string): string => running.addresses.find((address) => address.kind === kind)?.url ?? ''
const post = (body: unknown): Promise<Response> =>
  fetch(`${addressOf('public')}/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
console.log('refused:', await (await post({ sku: 5 })).json())
console.log('passes:', (await post({ sku: 'a' })).status)
const drift = await fetch(`${addressOf('admin')}/performance/openapi/drift`, {
  headers: { authorization: 'Bearer example' },
})
console.log('drift:', await drift.json())
await running.close()
upstream.close()

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolveConfig, serve } from '../index.ts'

/** CORS, security headers and limits of requests: `npx node examples/cors.ts`. */

const upstream = createServer((_request, response) => {
  response.setHeader('access-control-allow-origin', 'https://what-the-upstream-says.test')
  response.end('{"orders":[]}')
})
await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))

const running = await serve(
  resolveConfig({
    listen: { port: 0 },
    admin: false,
    log: { level: 'silent' },
    upstreams: { orders: { targets: [`http://127.0.0.1:${(upstream.address() as AddressInfo).port}`] } },
    routes: {
      '/orders/*': {
        to: 'orders',
        cors: { origin: ['https://app.example.com'], methods: ['GET', 'PUT'], credentials: true },
        securityHeaders: { xFrameOptions: { action: 'deny' } },
        request: { query: { length: 100 } },
      },
    },
  }),
)
const [{ url } = { url: '' }] = running.addresses
const origin = 'https://app.example.com'
const ask = async (path: string, init: RequestInit): Promise<void> => {
  const { status, headers } = await fetch(url + path, init)
  const told = ['access-control-allow-origin', 'access-control-allow-methods', 'x-frame-options', 'vary']
  console.log(
    init.method ?? 'GET',
    path.slice(0, 20),
    status,
    Object.fromEntries(told.map((name) => [name, headers.get(name)])),
  )
}
await ask('/orders/7', { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'PUT' } })
await ask('/orders/7', { headers: { origin } })
await ask('/orders/7', { headers: { origin: 'https://elsewhere.test' } })
await ask(`/orders/7?${'x'.repeat(101)}`, { headers: { origin } })
await running.close()
upstream.close()

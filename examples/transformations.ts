import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { defineResponseHook, resolveConfig, serve } from '../index.ts'

/** Changes to requests and answers, by declaration and by code: `npx node examples/transformations.ts`. */

export const addLink = defineResponseHook(({ body, path }) => ({ body: { ...(body as object), self: path } }))

/** The gateway loads the hook from this very file: what follows is for the one who starts it. */
if (import.meta.main) {
  const upstream = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    response.setHeader('x-internal', '1')
    const { url, headers } = request
    response.end(JSON.stringify({ url, tenant: headers['x-tenant'], card: { number: '4111 1111' } }))
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))

  const running = await serve(
    resolveConfig(
      {
        listen: { port: 0 },
        admin: false,
        log: { level: 'silent' },
        upstreams: { accounts: { targets: [`http://127.0.0.1:${(upstream.address() as AddressInfo).port}`] } },
        routes: {
          '/:tenant/accounts': {
            to: 'accounts',
            rewrite: '/accounts',
            transform: {
              request: { headers: { set: { 'x-tenant': '${param.tenant}' } }, query: { remove: ['utm_source'] } },
              response: {
                headers: { remove: ['x-internal'] },
                body: { mask: ['/card/number'], rename: { '/url': 'asked' } },
                hook: './transformations.ts#addLink',
              },
            },
          },
        },
      },
      { root: import.meta.dirname },
    ),
  )
  const [{ url } = { url: '' }] = running.addresses
  const answer = await fetch(`${url}/acme/accounts?utm_source=mail&page=2`)
  console.log(answer.headers.get('x-internal'), await answer.json())
  await running.close()
  upstream.close()
}

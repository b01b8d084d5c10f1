/**
 * `node examples/login/start.ts`: browsers log in at a real identity provider (the npm package oidc-provider), programs bring
 * tokens of it, and what stands behind the gateway is told who calls.
 *
 * - http://localhost:8080/ in a browser: any name and password; then http://localhost:8080/oauth/logout
 * - a token for a program, and a call with it: the commands that it prints
 */
import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import Fastify, { type FastifyInstance } from 'fastify'
import { gateway } from 'headrace'
import Provider from 'oidc-provider'

const API = 'urn:example:orders'

/** The identity provider. A real one has users, keys of its own and a store; this one forgets everything at its end. */
function startProvider(issuer: string, origin: string): Server {
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'gateway',
        client_secret: 'a secret that only they know',
        redirect_uris: [`${origin}/oauth/callback`],
        post_logout_redirect_uris: [`${origin}/goodbye`],
        grant_types: ['authorization_code', 'refresh_token'],
      },
      {
        client_id: 'robot',
        client_secret: 'beep',
        redirect_uris: [],
        response_types: [],
        grant_types: ['client_credentials'],
      },
    ],
    features: {
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({ scope: 'read', audience: API, accessTokenFormat: 'jwt' }),
      },
    },
  })
  const handle = provider.callback()
  return createServer((request, response) => void handle(request, response)).listen(Number(new URL(issuer).port))
}

/** What the gateway stands before: it believes what the gateway says of callers. */
function startOrders(port: number): Server {
  return createServer(({ url, headers }, response) => {
    const { 'x-consumer-id': id = 'nobody', 'x-consumer-scopes': scopes = 'none' } = headers
    response.setHeader('content-type', 'text/plain').end(`${url} for ${String(id)}, scopes ${String(scopes)}\n`)
  }).listen(port, '127.0.0.1')
}

/** Starts all three. @returns what ends them */
export async function start(ports: {
  gateway: number
  provider: number
  orders: number
}): Promise<() => Promise<void>> {
  const origin = `http://localhost:${ports.gateway}`
  const issuer = `http://localhost:${ports.provider}`
  const servers = [startProvider(issuer, origin), startOrders(ports.orders)]
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const app: FastifyInstance = Fastify()
  await app.register(gateway, {
    root: import.meta.dirname,
    access: {
      oidc: {
        staff: {
          issuer,
          origin,
          clientId: 'gateway',
          clientSecret: 'a secret that only they know',
          cookieSecrets: ['only for this example: use a random one'],
          scopes: ['openid'],
          afterLogout: '/goodbye',
        },
      },
      jwt: { programs: { issuer, audience: API, jwks: { url: `${issuer}/jwks` } } },
    },
    upstreams: { orders: { targets: [`http://127.0.0.1:${ports.orders}`] } },
    routes: {
      '/*': { to: 'orders', access: ['oidc:staff'] },
      '/api/*': { to: 'orders', access: { by: ['jwt:programs'], scopes: ['read'] } },
      '/goodbye': { answer: { body: 'Goodbye.' } },
    },
  })
  await app.listen({ port: ports.gateway, host: 'localhost' })
  return async () => {
    await app.close()
    for (const server of servers) server.closeAllConnections()
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  }
}

if (import.meta.main) {
  await start({ gateway: 8080, provider: 4000, orders: 4001 })
  console.log(`
Open http://localhost:8080/ in a browser, or, for a program:

  TOKEN=$(curl -s -u robot:beep http://localhost:4000/token -d grant_type=client_credentials \\
    -d scope=read -d resource=${API} | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')
  curl -i http://localhost:8080/api/orders -H "Authorization: Bearer $TOKEN"
`)
}

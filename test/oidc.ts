import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider, { type Configuration } from 'oidc-provider'
import type { Test } from 'tap'

export const CLIENT_ID = 'gateway'
export const CLIENT_SECRET = 'a secret of the client'

/** A real identity provider, at which everybody who comes is logged in as `account` at once. */
export interface IdentityProvider {
  issuer: string
  /** Who comes next. */
  account: string
  /** Answers everything with 500, as one that is broken. */
  broken: boolean
  /** Paths that were asked for. */
  requests: string[]
  provider: Provider
}

/** @param origin of the gateway, as browsers see it */
export async function startIdentityProvider(
  t: Test,
  origin: string,
  configuration: Configuration = {},
): Promise<IdentityProvider> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret: CLIENT_SECRET,
        redirect_uris: [`${origin}/oauth/callback`],
        post_logout_redirect_uris: [`${origin}/`],
        grant_types: ['authorization_code', 'refresh_token'],
      },
    ],
    cookies: { keys: ['a key of its cookies'] },
    claims: { openid: ['sub', 'groups'], email: ['email'] },
    conformIdTokenClaims: false,
    features: { devInteractions: { enabled: false } },
    findAccount: (_context, sub) => ({
      accountId: sub,
      claims: () => ({ sub, email: `${sub}@example.com`, groups: ['staff'] }),
    }),
    // Nobody is asked whether the gateway may know them.
    loadExistingGrant: async ({ oidc }) => {
      const { Grant } = oidc.provider
      const grant = new Grant({
        clientId: oidc.client?.clientId as string,
        accountId: oidc.session?.accountId as string,
      })
      grant.addOIDCScope('openid email offline_access')
      await grant.save()
      return grant
    },
    issueRefreshToken: async () => true,
    rotateRefreshToken: true,
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    ...configuration,
  })
  const running: IdentityProvider = { issuer, account: 'ada', broken: false, requests: [], provider }
  const handle = provider.callback()
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    running.requests.push(request.url ?? '')
    if (running.broken) response.writeHead(500).end()
    else if (request.url?.startsWith('/interaction/') === true) {
      void provider.interactionFinished(request, response, { login: { accountId: running.account } })
    } else void handle(request, response)
  })
  t.teardown(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return running
}

/** A browser's cookies of one site. */
export class CookieJar {
  readonly #cookies = new Map<string, string>()

  /** @param fields values of Set-Cookie */
  take(fields: readonly string[]): void {
    for (const field of fields) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(field) ?? []
      if (/max-age=0\b|expires=thu, 01 jan 1970/i.test(field)) this.#cookies.delete(name)
      else this.#cookies.set(name, value)
    }
  }

  set(name: string, value: string): void {
    this.#cookies.set(name, value)
  }

  get names(): string[] {
    return [...this.#cookies.keys()]
  }

  value(name: string): string | undefined {
    return this.#cookies.get(name)
  }

  get header(): string | undefined {
    if (this.#cookies.size === 0) return undefined
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }
}

/** Goes through the provider's pages as a browser does. @returns where it sends the browser at last, at another origin */
export async function followAtProvider(location: string, jar: CookieJar): Promise<string> {
  const { origin } = new URL(location)
  let at = location
  for (let hops = 0; hops < 10; hops++) {
    const response = await fetch(at, {
      redirect: 'manual',
      headers: jar.header === undefined ? {} : { cookie: jar.header },
    })
    jar.take(response.headers.getSetCookie())
    const text = await response.text()
    const to = response.headers.get('location')
    if (to === null) throw new Error(`the provider answers ${response.status} at ${at}: ${text.slice(0, 500)}`)
    at = new URL(to, at).href
    if (new URL(at).origin !== origin) return at
  }
  throw new Error('the provider redirects for ever')
}

import {
  allowInsecureRequests,
  authorizationCodeGrant,
  AuthorizationResponseError,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  calculatePKCECodeChallenge,
  ClientError,
  ClientSecretBasic,
  type Configuration,
  customFetch,
  type CustomFetch,
  discovery,
  enableNonRepudiationChecks,
  None,
  refreshTokenGrant,
  ResponseBodyError,
} from 'openid-client'
import type { Claims } from '../claims.ts'
import { ProviderMetadataError } from './errors.ts'
import type { OidcOptions } from './options.ts'
import type { Begun } from './session.ts'

/** What the provider gives for a login, or a refresh. */
export interface Tokens {
  /** Of the ID token; `null` where a refresh gives none. */
  claims: Claims | null
  idToken: string | null
  accessToken: string
  refreshToken: string | null
  /** Seconds that the access token holds; `null` where it does not say. */
  expiresInS: number | null
}

/** It has said no, and will say so again: nobody is to try once more. */
export class ProviderRefusal extends Error {
  readonly code: string

  /** @param code of OAuth: `access_denied`, `invalid_grant` */
  constructor(code: string) {
    super(`the provider says ${code}`)
    this.code = code
  }
}

const RETRY_AFTER_MS = 1_000
const MOST_BYTES = 1024 * 1024
/** OpenID Connect Discovery 1.0 §3. */
const NEEDED = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const

/**
 * An identity provider, spoken to by openid-client (OpenID Connect Core 1.0; code flow with PKCE, RFC 7636; RP-initiated
 * logout). What it can do is read at the first login; where that fails, at the next one that begins a second later.
 */
export class Provider {
  readonly #options: OidcOptions
  readonly #now: () => number
  #configuration: Promise<Configuration> | undefined
  #failedAt = Number.NEGATIVE_INFINITY
  #failure: unknown

  /** @param now milliseconds that only grow */
  constructor(options: OidcOptions, now: () => number) {
    this.#options = options
    this.#now = now
  }

  /** Where a browser goes to log in. @throws what openid-client throws */
  async loginUrl({ state, nonce, verifier }: Begun, redirectUri: string): Promise<URL> {
    const { scopes, parameters } = this.#options
    return buildAuthorizationUrl(await this.#known(), {
      ...parameters,
      redirect_uri: redirectUri,
      scope: scopes.join(' '),
      state,
      nonce,
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    })
  }

  /**
   * What the provider gives for the code that a browser has brought.
   *
   * @param url the callback's, with what the provider has put there
   * @throws ProviderRefusal, or what openid-client throws
   */
  async redeem(url: URL, { state, nonce, verifier }: Begun): Promise<Tokens> {
    const configuration = await this.#known()
    return await refusals(async () =>
      tokensOf(
        await authorizationCodeGrant(configuration, url, {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: verifier,
          idTokenExpected: true,
        }),
      ),
    )
  }

  /** @throws ProviderRefusal, or what openid-client throws */
  async refresh(refreshToken: string): Promise<Tokens> {
    const configuration = await this.#known()
    return await refusals(async () => tokensOf(await refreshTokenGrant(configuration, refreshToken)))
  }

  /** Where a browser goes to end its session there; `null` where the provider has no such place. @throws what openid-client throws */
  async logoutUrl(idToken: string | null, redirectUri: string): Promise<URL | null> {
    const configuration = await this.#known()
    if (configuration.serverMetadata().end_session_endpoint === undefined) return null
    return buildEndSessionUrl(configuration, {
      post_logout_redirect_uri: redirectUri,
      ...(idToken === null ? {} : { id_token_hint: idToken }),
    })
  }

  /** Who waits for the same, waits together. */
  #known(): Promise<Configuration> {
    if (this.#configuration !== undefined) return this.#configuration
    if (this.#now() - this.#failedAt < RETRY_AFTER_MS) return Promise.reject(this.#failure as Error)
    const { issuer, clientId, clientSecret, timeoutMs } = this.#options
    const authentication = clientSecret === null ? None() : ClientSecretBasic(clientSecret)
    const isInsecure = issuer.startsWith('http:')
    const asked = discovery(new URL(issuer), clientId, undefined, authentication, {
      timeout: Math.max(1, Math.ceil(timeoutMs / 1000)),
      [customFetch]: boundedFetch,
      execute: [enableNonRepudiationChecks, ...(isInsecure ? [allowInsecureRequests] : [])],
    }).then(whole)
    this.#configuration = asked
    asked.catch((error: unknown) => {
      this.#configuration = undefined
      this.#failedAt = this.#now()
      this.#failure = error
    })
    return asked
  }
}

/** What is kept has all that logins need. @throws HR_ACCESS_PROVIDER_METADATA */
function whole(configuration: Configuration): Configuration {
  const metadata = configuration.serverMetadata()
  const missing = NEEDED.find((name) => metadata[name] === undefined)
  if (missing !== undefined) throw new ProviderMetadataError(metadata.issuer, missing)
  return configuration
}

type Granted = Awaited<ReturnType<typeof authorizationCodeGrant | typeof refreshTokenGrant>>

function tokensOf(granted: Granted): Tokens {
  const { id_token: idToken = null, access_token: accessToken, refresh_token: refreshToken = null, scope } = granted
  const claims = granted.claims() ?? null
  return {
    // Which scopes were granted, the ID token does not say.
    claims: claims === null ? null : { ...(scope === undefined ? {} : { scope }), ...claims },
    idToken,
    accessToken,
    refreshToken,
    expiresInS: granted.expires_in ?? null,
  }
}

async function refusals<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    throw refusalOf(error) ?? error
  }
}

function refusalOf(error: unknown): ProviderRefusal | undefined {
  if (error instanceof AuthorizationResponseError || error instanceof ResponseBodyError) {
    return Object.assign(new ProviderRefusal(error.error), { cause: error })
  }
  // What a browser has brought is no answer of this provider: of another one (RFC 9207), or made by somebody else.
  const isForeign = error instanceof ClientError && error.code === 'OAUTH_INVALID_RESPONSE'
  return isForeign ? Object.assign(new ProviderRefusal('invalid_response'), { cause: error }) : undefined
}

/** fetch, for answers of at most a mebibyte. */
const boundedFetch: CustomFetch = async (url, options) => {
  const { status, headers, body } = await fetch(url, options as RequestInit)
  if (body === null) return new Response(null, { status, headers })
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > MOST_BYTES) throw new TypeError(`the answer is larger than ${MOST_BYTES} bytes`)
    chunks.push(chunk)
  }
  return new Response(Buffer.concat(chunks), { status, headers })
}

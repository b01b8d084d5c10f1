import type { Priority } from './priority.ts'

/** How somebody has shown who they are. */
export type AccessScheme = 'key' | 'jwt' | 'oidc' | 'basic' | 'hmac' | 'mtls' | 'forward'

/** Who calls, as far as it has been shown. Made once a credential where that can be; nobody changes it. */
export interface Identity {
  /** Tells one caller from another, whatever the scheme: the consumer's name, or the subject of a token with its issuer. */
  readonly id: string
  readonly scheme: AccessScheme
  /** Name of the configured consumer; `null` for a caller that is none, such as a token's subject. */
  readonly consumer: string | null
  /** Name of the consumer's tier, which limits may go by. */
  readonly tier: string | null
  readonly groups: readonly string[]
  readonly scopes: readonly string[]
  /** Of a token, or what else was told of the caller. */
  readonly claims: Readonly<Record<string, unknown>>
  /** In place of the route's, where not everything can be served; absent: the route's. */
  readonly priority?: Priority
}

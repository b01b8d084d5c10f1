import type { AccessScheme, Identity } from '../downstream/identity.ts'
import type { Priority } from '../downstream/priority.ts'

/** What claims are called that say more of a caller than who it is. */
export interface ClaimNames {
  /** Whose value is the name of a configured consumer; `null`: callers with tokens are none. */
  consumer: string | null
  groups: string | null
  tier: string | null
  /** The first that is there counts. */
  scopes: readonly string[]
}

export type Claims = Readonly<Record<string, unknown>>

/** What a configured consumer adds to what a token says. */
export interface KnownConsumer {
  name: string
  tier: string | null
  groups: readonly string[]
  scopes: readonly string[]
  /** `null`: the route's. */
  priority: Priority | null
}

/** More names than any header that tells an upstream of them could carry. */
const MOST_NAMES = 1_000

/**
 * Who a verified token's claims say that it is. Its `id` is the consumer's name, or `issuer|subject`: two issuers may call
 * two people the same.
 *
 * @param consumerOf the configured consumer of a name
 * @returns `undefined` where they do not say who it is, or name a consumer that there is not
 */
export function identityOf(
  claims: Claims,
  { scheme, names }: { scheme: AccessScheme; names: ClaimNames },
  consumerOf: (name: string) => KnownConsumer | undefined,
): Identity | undefined {
  const named = names.consumer === null ? undefined : claimAt(claims, names.consumer)
  const consumer = typeof named === 'string' ? consumerOf(named) : undefined
  if (names.consumer !== null && consumer === undefined) return undefined
  const { iss, sub, client_id: client, azp } = claims
  // RFC 9068 §2.2: without a person, the subject is the client; tokens of older servers leave it out.
  const subject = [sub, client, azp].find((value) => typeof value === 'string' && value !== '')
  if (consumer === undefined && subject === undefined) return undefined
  const scopes = names.scopes.map((name) => claimAt(claims, name)).find((value) => value !== undefined)
  const groups = names.groups === null ? undefined : claimAt(claims, names.groups)
  const tier = names.tier === null ? undefined : claimAt(claims, names.tier)
  return {
    id: consumer?.name ?? `${typeof iss === 'string' ? iss : ''}|${String(subject)}`,
    scheme,
    consumer: consumer?.name ?? null,
    tier: typeof tier === 'string' ? tier : (consumer?.tier ?? null),
    groups: united(namesOf(groups, ','), consumer?.groups),
    scopes: united(namesOf(scopes, ' '), consumer?.scopes),
    claims,
    ...(consumer?.priority != null && { priority: consumer.priority }),
  }
}

/** @param path a claim's name, or the way into an object: `realm_access.roles`. A claim of the whole name comes first */
export function claimAt(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path]
  let value: unknown = claims
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Record<string, unknown>)[name]
  }
  return value
}

/** A list, or text with a separator (RFC 8693 §4.2: scopes and spaces). */
function namesOf(value: unknown, separator: string): string[] {
  const list: readonly unknown[] =
    typeof value === 'string' ? value.split(separator) : Array.isArray(value) ? value : []
  return list
    .filter((name) => typeof name === 'string')
    .map((name) => name.trim())
    .filter((name) => name !== '')
    .slice(0, MOST_NAMES)
}

function united(names: string[], more: readonly string[] | undefined): readonly string[] {
  return more === undefined || more.length === 0 ? names : [...new Set([...names, ...more])]
}

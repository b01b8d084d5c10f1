import { hash } from 'node:crypto'
import type { Identity } from '../downstream/identity.ts'

/** What of the caller belongs to the keys of a route: nobody is answered with what was stored for somebody else. */
export interface IdentityKey {
  /** Who it is, and all that upstreams are told of it but single claims: entries are for one alone. */
  whole: boolean
  /** The consumer's name; of a caller who is none, who it is. */
  consumer: boolean
  /** These claims. */
  claims: readonly string[]
}

/** Of an identity as a whole: made once for it. */
const digests = new WeakMap<Identity, string>()

/**
 * The part of a key that says for whom an entry is. A digest: keys are shown to people, and who calls is not theirs to know;
 * its text has no line break, and so makes up no other part.
 */
export function identityPart(parts: IdentityKey, identity: Identity | undefined): string {
  if (identity === undefined) return '\nidentity: anonymous'
  let text = ''
  if (parts.whole) text = `\nidentity: ${wholeOf(identity)}`
  if (parts.consumer) text += `\nconsumer: ${consumerOf(identity)}`
  for (const name of parts.claims) {
    const value = Object.hasOwn(identity.claims, name) ? identity.claims[name] : undefined
    text += `\nclaim ${JSON.stringify(name)}: ${hash('sha256', JSON.stringify(value ?? null), 'base64url')}`
  }
  return text
}

function wholeOf(identity: Identity): string {
  let digest = digests.get(identity)
  if (digest === undefined) {
    const { id, scheme, consumer, tier, groups, scopes, claims } = identity
    // What an authorising service has said goes to the upstream as it is. Of a token only what a template names does; some of
    // its claims are others in each.
    const told = scheme === 'forward' ? claims : null
    digest = hash('sha256', JSON.stringify([id, consumer, tier, groups, scopes, told]), 'base64url')
    digests.set(identity, digest)
  }
  return digest
}

/** Nobody's name is another's identity. */
function consumerOf({ consumer, id }: Identity): string {
  return hash('sha256', JSON.stringify(consumer === null ? { id } : { consumer }), 'base64url')
}

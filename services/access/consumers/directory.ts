import type { AccessScheme, Identity } from '../../downstream/identity.ts'
import { ConsumerConflictError } from '../errors.ts'
import type { CertificateOptions, ConsumerOptions } from './options.ts'

/** A key at rest. */
export interface KnownKey {
  readonly id: string
  /** SHA-256. */
  readonly digest: Buffer
  /** Milliseconds since 1970; `Infinity` for never. */
  readonly expiresAt: number
  readonly identity: Identity
  readonly use: KeyUse
}

/** Kept in memory alone: the hot path writes nothing anywhere. */
export interface KeyUse {
  /** Milliseconds since 1970; 0 for never, as far as this process knows. */
  lastUsedAt: number
}

/** A secret that requests are signed with. */
export interface KnownSecret {
  readonly secret: string
  readonly identity: Identity
}

export interface KnownPassword {
  /** The hash. */
  readonly password: string
  readonly identity: Identity
}

export interface KnownCertificate {
  readonly wanted: CertificateOptions
  readonly identity: Identity
}

/** A secret with its text, wherever it came from. */
export interface ReadConsumer extends Omit<ConsumerOptions, 'secrets'> {
  secrets: { id: string; secret: string }[]
}

/**
 * Consumers by what they show. Never changes: what changes is which one is in force, so that whoever has kept something
 * from one can tell that it is of another.
 */
export class Directory {
  readonly consumers: readonly ReadConsumer[]
  readonly keys = new Map<string, KnownKey>()
  readonly passwords = new Map<string, KnownPassword>()
  readonly secrets = new Map<string, KnownSecret>()
  readonly certificates: readonly KnownCertificate[]
  readonly #byName = new Map<string, ReadConsumer>()

  /**
   * @param previous whose keys were used when
   * @throws HR_ACCESS_CONSUMER_CONFLICT
   */
  constructor(consumers: readonly ReadConsumer[], previous: Directory | null = null) {
    this.consumers = consumers
    const certificates: KnownCertificate[] = []
    for (const consumer of consumers) {
      const other = this.#byName.get(consumer.name)
      if (other !== undefined) throw conflict(identityOf(other, 'key'), consumer, 'name')
      this.#byName.set(consumer.name, consumer)
      if (!consumer.enabled) continue
      this.#addKeys(consumer, previous)
      if (consumer.password !== null) {
        this.passwords.set(consumer.name, { password: consumer.password, identity: identityOf(consumer, 'basic') })
      }
      for (const { id, secret } of consumer.secrets) {
        const taken = this.secrets.get(id)
        if (taken !== undefined) throw conflict(taken.identity, consumer, `secret '${id}'`)
        this.secrets.set(id, { secret, identity: identityOf(consumer, 'hmac') })
      }
      const identity = identityOf(consumer, 'mtls')
      certificates.push(...consumer.certificates.map((wanted) => ({ wanted, identity })))
    }
    this.certificates = certificates
  }

  named(name: string): ReadConsumer | undefined {
    return this.#byName.get(name)
  }

  #addKeys(consumer: ReadConsumer, previous: Directory | null): void {
    const identity = identityOf(consumer, 'key')
    for (const { id, hash, expiresAt } of consumer.keys) {
      const taken = this.keys.get(id)
      if (taken !== undefined) throw conflict(taken.identity, consumer, `key '${id}'`)
      const digest = Buffer.from(hash, 'base64url')
      const before = previous?.keys.get(id)
      const use = before?.digest.equals(digest) === true ? before.use : { lastUsedAt: 0 }
      this.keys.set(id, { id, digest, expiresAt: expiresAt ?? Infinity, identity, use })
    }
  }
}

/** What a consumer is to the rest of the gateway. */
export function identityOf(consumer: Omit<ReadConsumer, 'secrets'>, scheme: AccessScheme): Identity {
  const { name, tier, groups, scopes, priority } = consumer
  return Object.freeze({
    id: name,
    scheme,
    consumer: name,
    tier,
    groups,
    scopes,
    claims: {},
    ...(priority !== null && { priority }),
  })
}

function conflict(taken: Identity, consumer: ReadConsumer, what: string): Error {
  return new ConsumerConflictError(taken.id, consumer.name, what)
}

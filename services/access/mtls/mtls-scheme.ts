import type { ClientCertificate } from '../../downstream/client-certificate.ts'
import type { Exchange } from '../../downstream/exchange.ts'
import type { Identity } from '../../downstream/identity.ts'
import type { Consumers } from '../consumers/consumers.ts'
import type { Directory } from '../consumers/directory.ts'
import type { CertificateOptions } from '../consumers/options.ts'
import { CredentialsInvalidError } from '../errors.ts'
import type { Authentication, Authenticator } from '../scheme.ts'

/** Whose a certificate was found to be, by which consumers. */
interface Found {
  directory: Directory
  identity: Identity | undefined
}

/**
 * Client certificates, shown in the handshake of the connection that a request comes on. What TLS has checked is the chain;
 * here it is whose it is, and that its time is not over. Found once a connection, and anew when the consumers change.
 */
export class MtlsScheme implements Authenticator {
  readonly scheme = 'mtls'
  readonly challenge = null
  readonly #consumers: Pick<Consumers, 'directory'>
  readonly #now: () => number
  readonly #found = new WeakMap<ClientCertificate, Found>()

  /** @param now milliseconds since 1970 */
  constructor({ consumers, now }: { consumers: Pick<Consumers, 'directory'>; now: () => number }) {
    this.#consumers = consumers
    this.#now = now
  }

  authenticate({ peer }: Exchange): Authentication {
    const { certificate } = peer
    if (certificate === null) return undefined
    const identity = this.#owner(certificate)
    const isGood = certificate.authorized && this.#now() < certificate.validUntil
    return isGood && identity !== undefined ? identity : new CredentialsInvalidError()
  }

  #owner(certificate: ClientCertificate): Identity | undefined {
    const { directory } = this.#consumers
    const known = this.#found.get(certificate)
    if (known?.directory === directory) return known.identity
    const identity = directory.certificates.find(({ wanted }) => fits(certificate, wanted))?.identity
    this.#found.set(certificate, { directory, identity })
    return identity
  }
}

function fits({ fingerprint, subject, names }: ClientCertificate, wanted: CertificateOptions): boolean {
  if (wanted.fingerprint === null && wanted.subject === null && wanted.san === null) return false
  return (
    (wanted.fingerprint === null || wanted.fingerprint === fingerprint) &&
    (wanted.subject === null || isSame(attributesOf(wanted.subject), subject)) &&
    (wanted.san === null || names.includes(wanted.san))
  )
}

/** A comma within a value has a backslash before it (RFC 4514 §2.4), which the certificate's own text has too. */
function attributesOf(subject: string): string[] {
  return subject.split(/(?<!\\),\s*/)
}

/** Their order is another in each notation. */
function isSame(wanted: readonly string[], given: readonly string[]): boolean {
  return wanted.length === given.length && wanted.every((attribute) => given.includes(attribute))
}

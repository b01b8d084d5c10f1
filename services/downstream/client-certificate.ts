import type { X509Certificate } from 'node:crypto'

/** A certificate that a client has shown in the handshake, with its key. */
export interface ClientCertificate {
  /** The listener's issuers stand for it, as of the handshake. */
  readonly authorized: boolean
  /** SHA-256, hexadecimal in lower case, without colons. */
  readonly fingerprint: string
  /** Attributes: `['CN=billing', 'O=Acme']`. */
  readonly subject: readonly string[]
  /** Alternative names with their kind: `DNS:billing.acme.test`, `URI:spiffe://acme/billing`, `IP:10.0.0.1`. */
  readonly names: readonly string[]
  /** Milliseconds since 1970. */
  readonly validUntil: number
}

/** A TLS socket, as far as it is asked for certificates. */
export interface ShownCertificate {
  authorized?: boolean
  getPeerX509Certificate?(): X509Certificate | undefined
}

/** @returns `null` where none was shown */
export function readClientCertificate(connection: ShownCertificate): ClientCertificate | null {
  const shown = connection.getPeerX509Certificate?.()
  if (shown === undefined) return null
  return {
    authorized: connection.authorized === true,
    fingerprint: shown.fingerprint256.replaceAll(':', '').toLowerCase(),
    subject: shown.subject?.split('\n').filter((attribute) => attribute !== '') ?? [],
    names: namesIn(shown.subjectAltName ?? ''),
    validUntil: shown.validToDate.getTime(),
  }
}

/** Node writes a name that could be taken for several as a JSON string: what is in its quotes is one. */
const NAME = /(?:^|, )(DNS|URI|email|IP Address):("(?:[^"\\]|\\.)*"|[^,]*)/g

function namesIn(text: string): string[] {
  return [...text.matchAll(NAME)].map(([, kind = '', value = '']) => {
    const name = value.startsWith('"') ? (JSON.parse(value) as string) : value
    return `${kind === 'IP Address' ? 'IP' : kind}:${name}`
  })
}

import { createPrivateKey, hash, hkdfSync, type KeyObject, randomBytes, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { createSecureContext, createServer, type SecureContext, type Server } from 'node:tls'
import { TlsCertificateError, TlsFileError, TlsKeyError, TlsMismatchError } from './errors.ts'
import type { CertificateFiles, ListenerOptions } from './options.ts'

const DAY_MS = 86_400_000
const WARN_BEFORE_DAYS = 14

export interface LoadedCertificate {
  cert: Buffer
  key: Buffer
  /** Lower case; a wildcard keeps its `*.`. */
  names: string[]
  expiresAt: number
  files: CertificateFiles
}

/** Why a certificate should be looked at; none of these stops the listener. */
export interface TlsWarning {
  code: 'HR_TLS_EXPIRED' | 'HR_TLS_EXPIRES_SOON'
  message: string
}

/**
 * Reads a certificate with its key.
 *
 * @throws {TlsFileError} a file cannot be read
 * @throws {TlsCertificateError} no certificate in it
 * @throws {TlsKeyError} no key in it, or one with a passphrase
 * @throws {TlsMismatchError} they are not a pair
 */
export async function loadCertificate(files: CertificateFiles): Promise<LoadedCertificate> {
  const [cert, key] = await Promise.all([readPem('certificate', files.cert), readPem('key', files.key)])
  let parsed: X509Certificate
  try {
    parsed = new X509Certificate(cert)
  } catch (cause) {
    throw new TlsCertificateError(files.cert, reason(cause), { cause })
  }
  let privateKey: KeyObject
  try {
    privateKey = createPrivateKey(key)
  } catch (cause) {
    throw new TlsKeyError(files.key, reason(cause), { cause })
  }
  if (!parsed.checkPrivateKey(privateKey)) throw new TlsMismatchError(files.key, files.cert)
  const names = files.servername === null ? certificateNames(parsed) : [files.servername.toLowerCase()]
  return { cert, key, names, expiresAt: parsed.validToDate.getTime(), files }
}

/** What to tell the operator about certificates that were loaded. @param now milliseconds since the epoch */
export function certificateWarnings(certificates: readonly LoadedCertificate[], now: number): TlsWarning[] {
  const warnings: TlsWarning[] = []
  for (const { expiresAt, files } of certificates) {
    const on = new Date(expiresAt).toISOString()
    if (expiresAt <= now) {
      const message = `The certificate ${files.cert} expired on ${on}: clients will refuse it. Renew it.`
      warnings.push({ code: 'HR_TLS_EXPIRED', message })
    } else if (expiresAt - now < WARN_BEFORE_DAYS * DAY_MS) {
      warnings.push({ code: 'HR_TLS_EXPIRES_SOON', message: `The certificate ${files.cert} expires on ${on}.` })
    }
  }
  return warnings
}

/** Who issues certificates of clients. @throws {TlsFileError}, {TlsCertificateError} */
export async function loadClientIssuers(file: string): Promise<Buffer> {
  const pem = await readPem('certificate', file)
  try {
    new X509Certificate(pem)
  } catch (cause) {
    throw new TlsCertificateError(file, reason(cause), { cause })
  }
  return pem
}

/** Whether what listeners are to show can be used. @throws as {@link loadCertificate} and {@link loadClientIssuers} */
export async function checkCertificates(
  listeners: readonly Pick<ListenerOptions, 'tls' | 'clientCertificates'>[],
): Promise<void> {
  for (const { tls, clientCertificates } of listeners) {
    // The certificate of development is made where there is none that can be used.
    if (tls !== null && tls !== 'development') await Promise.all(tls.map(loadCertificate))
    if (tls !== null && clientCertificates) await loadClientIssuers(clientCertificates.ca)
  }
}

async function readPem(kind: 'certificate' | 'key', file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (cause) {
    throw new TlsFileError(`${kind} ${file}`, reason(cause), { cause })
  }
}

function reason(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException
  return code ?? message
}

/** Names of subjectAltName, which alone counts since RFC 9110 §4.3.4; the common name only where there is none. */
function certificateNames(certificate: X509Certificate): string[] {
  const names = [...(certificate.subjectAltName ?? '').matchAll(/(?:DNS|IP Address):([^,"\s]+)/g)]
  if (names.length > 0) return names.map(([, name]) => (name as string).toLowerCase())
  const common = /^CN=(.+)$/m.exec(certificate.subject)?.[1]
  return common === undefined ? [] : [common.toLowerCase()]
}

/** Certificates by the name that a client asks for (SNI, RFC 6066 §3). The first is for all other names and for none. */
export class CertificateTable {
  readonly #exact = new Map<string, SecureContext>()
  /** By what stands after the `*`. */
  readonly #wildcard = new Map<string, SecureContext>()
  readonly #first: SecureContext

  /** @param ca of clients; `null` where they are not asked for certificates */
  constructor(certificates: readonly [LoadedCertificate, ...LoadedCertificate[]], ca: Buffer | null = null) {
    // What SNI chooses takes the place of the server's own, that by which clients are judged too.
    const contexts = certificates.map(({ cert, key }) =>
      createSecureContext({ cert, key, minVersion: 'TLSv1.2', ...(ca && { ca }) }),
    )
    this.#first = contexts[0] as SecureContext
    for (const [index, { names }] of certificates.entries()) {
      for (const name of names) {
        const wildcard = name.startsWith('*.')
        const table = wildcard ? this.#wildcard : this.#exact
        const key = wildcard ? name.slice(1) : name
        // Where two certificates hold a name, the one listed first has it.
        if (!table.has(key)) table.set(key, contexts[index] as SecureContext)
      }
    }
  }

  /** A wildcard stands for one label, the leftmost (RFC 9525 §6.3). */
  contextFor(servername: string): SecureContext {
    const name = servername.toLowerCase()
    const exact = this.#exact.get(name)
    if (exact !== undefined) return exact
    const dot = name.indexOf('.')
    const wildcard = dot > 0 && isIP(name) === 0 ? this.#wildcard.get(name.slice(dot)) : undefined
    return wildcard ?? this.#first
  }
}

export interface TlsOptions {
  certificates: readonly [LoadedCertificate, ...LoadedCertificate[]]
  /** Offer `h2` by ALPN, before `http/1.1`. */
  http2: boolean
  handshakeTimeoutMs: number
  /** What session tickets are sealed with ({@link createTicketKeys}); default: keys of this front alone. */
  ticketKeys?: Buffer | undefined
  /** `null`: clients are not asked for certificates. */
  clients?: ClientCertificates | null
}

/** How clients are asked for certificates. */
export interface ClientCertificates {
  /** PEM: who issues them. */
  ca: Buffer
  /** No connection without one. */
  required: boolean
}

/** RFC 5077 §4: a name, an HMAC key and an AES key, 16 bytes each, as OpenSSL takes them. */
const TICKET_KEY_BYTES = 48

/**
 * Keys for the session tickets of every process that serves an address: a client that comes back is given to any of
 * them. They live as long as whoever makes them, and are on no disk: a restart replaces them.
 */
export function createTicketKeys(): Buffer {
  return randomBytes(TICKET_KEY_BYTES)
}

/**
 * With other issuers of clients' certificates, tickets are sealed with other keys: who resumes a session is taken for what the
 * issuers of its first handshake have made of their certificate, and those may not count any more.
 *
 * @param ca `null`: nobody's certificate is looked at
 */
function ticketKeysFor(ticketKeys: Buffer, ca: Buffer | null): Buffer {
  if (ca === null) return ticketKeys
  return Buffer.from(hkdfSync('sha256', ticketKeys, '', hash('sha256', ca, 'buffer'), TICKET_KEY_BYTES))
}

/** The TLS side of a listener: a `tls.Server` that never listens, and the means to change its certificates. */
export interface TlsFront {
  server: Server
  /** New handshakes get these; connections keep what they have. */
  replace(certificates: readonly [LoadedCertificate, ...LoadedCertificate[]], ca?: Buffer | null): void
}

export function createTlsFront(options: TlsOptions): TlsFront {
  const { ticketKeys, clients = null } = options
  let ca = clients?.ca ?? null
  let table = new CertificateTable(options.certificates, ca)
  const [{ cert, key }] = options.certificates
  const server = createServer({
    cert,
    key,
    minVersion: 'TLSv1.2',
    ...(clients && { requestCert: true, rejectUnauthorized: clients.required, ca: clients.ca }),
    // The server's own, also where SNI chooses another certificate.
    ...(ticketKeys && { ticketKeys: ticketKeysFor(ticketKeys, ca) }),
    handshakeTimeout: options.handshakeTimeoutMs,
    // A client that offers neither is refused by OpenSSL (no_application_protocol, RFC 7301 §3.2).
    ALPNProtocols: options.http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
    SNICallback: (servername, callback) => callback(null, table.contextFor(servername)),
  })
  return {
    server,
    replace(certificates, issuers) {
      ca = issuers ?? ca
      table = new CertificateTable(certificates, ca)
      const [first] = certificates
      // For clients that send no name, which never get to the callback.
      server.setSecureContext({
        cert: first.cert,
        key: first.key,
        minVersion: 'TLSv1.2',
        ...(ca && { ca }),
        ...(ticketKeys && { ticketKeys: ticketKeysFor(ticketKeys, ca) }),
      })
    },
  }
}

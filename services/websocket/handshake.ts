import { createHash, randomBytes } from 'node:crypto'
import { type GatewayError, withFields } from '../http/problem.ts'
import { isToken } from '../options/token.ts'
import { HandshakeError, WebSocketVersionError } from './errors.ts'

/** RFC 6455 §1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const VERSION = '13'
/** 16 bytes in base64: the last of the 22 characters has four bits that are nothing. */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/

/** What a client offers, and what its upstream has to answer to. */
export interface Offer {
  key: string
  protocols: readonly string[]
  extensions: readonly string[]
}

/** A response head of an upstream: names in lower case. */
type Head = Record<string, string | string[] | undefined>

/**
 * Reads a client's handshake (RFC 6455 §4.2.1). Over HTTP/2 there is no key (RFC 8441 §5): one is made, for an upstream that
 * speaks HTTP/1.1, and added.
 *
 * @param fields name, value, name, value
 */
export function readOffer(fields: string[], protocol: '1.0' | '1.1' | '2.0'): Offer | GatewayError {
  const versions = valuesOf(fields, 'sec-websocket-version')
  if (versions.length !== 1) return new HandshakeError('wants one Sec-WebSocket-Version')
  if (versions[0] !== VERSION) return withFields(new WebSocketVersionError(), ['sec-websocket-version', VERSION])
  const keys = valuesOf(fields, 'sec-websocket-key')
  if (protocol === '2.0') {
    if (keys.length > 0) return new HandshakeError('has a Sec-WebSocket-Key, which HTTP/2 has not')
    keys.push(randomBytes(16).toString('base64'))
    fields.push('sec-websocket-key', keys[0] as string)
  }
  const [key = ''] = keys
  if (keys.length !== 1 || !KEY.test(key))
    return new HandshakeError('wants one Sec-WebSocket-Key of 16 bytes in base64')
  const protocols = listOf(valuesOf(fields, 'sec-websocket-protocol'))
  if (!protocols.every(isToken) || new Set(protocols).size !== protocols.length) {
    return new HandshakeError('names its subprotocols wrongly, or one twice')
  }
  return { key, protocols, extensions: listOf(valuesOf(fields, 'sec-websocket-extensions')).map(nameOf) }
}

/**
 * Checks what an upstream answers with 101 (RFC 6455 §4.1).
 *
 * @returns why it is no answer to the offer; else the extensions that it has chosen
 */
export function readAnswer(head: Head, { key, protocols, extensions }: Offer): string | { extensions: string[] } {
  if (String(head.upgrade).toLowerCase() !== 'websocket') return 'does not switch to WebSocket'
  if (head['sec-websocket-accept'] !== acceptOf(key)) return 'has a Sec-WebSocket-Accept that is not the one of the key'
  const chosen = head['sec-websocket-protocol']
  if (chosen !== undefined && (typeof chosen !== 'string' || !protocols.includes(chosen))) {
    return 'chooses a subprotocol that was not offered'
  }
  const taken = listOf([head['sec-websocket-extensions'] ?? []].flat()).map(nameOf)
  if (taken.some((name) => !extensions.includes(name))) return 'takes an extension that was not offered'
  return { extensions: taken }
}

/** Sec-WebSocket-Accept of a key (RFC 6455 §4.2.2). */
export function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}${GUID}`).digest('base64')
}

function valuesOf(fields: readonly string[], name: string): string[] {
  const values: string[] = []
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i]?.toLowerCase() === name) values.push(fields[i + 1] as string)
  }
  return values
}

function listOf(values: readonly string[]): string[] {
  return values
    .flatMap((value) => value.split(','))
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

/** An extension without its parameters. */
function nameOf(extension: string): string {
  return (extension.split(';')[0] as string).trim().toLowerCase()
}

import { hash } from 'node:crypto'
import type { Exchange } from '../../downstream/exchange.ts'
import { onlyField, SEVERAL } from '../credentials.ts'
import type { ForwardOptions } from './options.ts'

/** What the service is asked, and by what its answer is remembered. */
export interface Question {
  /** name, value, name, value */
  fields: string[]
  /** How many of its members are credentials: the first ones. */
  credentials: number
  /** SHA-256 of the fields: who asks the same gets the same answer. */
  digest: string
}

/**
 * The fields that other gateways send too (Traefik's forwardAuth, Caddy's forward_auth; nginx's auth_request with
 * X-Original-*). All that is told is part of the digest, so that no answer is taken for a question that was another.
 *
 * @returns `SEVERAL` where a credential stands in the request more than once
 */
export function questionOf(
  exchange: Exchange,
  options: Pick<ForwardOptions, 'credentials' | 'tell'>,
): Question | typeof SEVERAL {
  const fields: string[] = []
  for (const name of options.credentials) {
    const value = onlyField(exchange.fields, name)
    if (value === SEVERAL) return SEVERAL
    if (value !== undefined) fields.push(name, value)
  }
  const credentials = fields.length
  for (const part of options.tell) {
    switch (part) {
      case 'method':
        fields.push('x-forwarded-method', exchange.method)
        break
      case 'uri':
        // As it was routed: what the gateway has resolved must not mean something else there.
        fields.push('x-forwarded-uri', exchange.path + exchange.query)
        break
      case 'host':
        fields.push('x-forwarded-host', exchange.authority, 'x-forwarded-proto', exchange.scheme)
        break
      case 'address':
        fields.push('x-forwarded-for', exchange.clientAddress)
        break
    }
  }
  return { fields, credentials, digest: digestOf(fields) }
}

/** SHA-256 of the credentials alone. */
export function credentialsOf({ fields, credentials }: Question): string {
  return digestOf(fields.slice(0, credentials))
}

const digestOf = (fields: readonly string[]): string => hash('sha256', fields.join('\0'), 'base64url')

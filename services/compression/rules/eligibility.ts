import { mediaTypeOf } from '../../http/media-type.ts'
import type { MediaTypes } from './media-types.ts'

/** What of a response's fields decides about its coding. */
export interface Traits {
  /** Without parameters, in lower case; empty where the answer has none. */
  type: string
  /** The codings it has already, as written; `null` for none. */
  coding: string | null
  /** Its Cache-Control forbids it (RFC 9111 §5.2.2.6). */
  isFixed: boolean
}

/** @param fields of a response, names in lower case */
export function traitsOf(fields: readonly string[]): Traits {
  let type = ''
  let coding: string | null = null
  let isFixed = false
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]
    if (name === 'content-type') type = mediaTypeOf(fields[i + 1] as string)
    else if (name === 'content-encoding') coding = joined(coding, fields[i + 1] as string)
    else if (name === 'cache-control') isFixed ||= forbidsTransforming(fields[i + 1] as string)
  }
  return { type, coding, isFixed }
}

/** `identity` stands in no response (RFC 9110 §12.5.3), and means nothing where it does. */
function joined(codings: string | null, more: string): string | null {
  const value = more.trim().toLowerCase()
  if (value === '' || value === 'identity') return codings
  return codings === null ? value : `${codings}, ${value}`
}

const NO_TRANSFORM = /(^|,)\s*no-transform\s*(,|$)/i

/** `no-transform` in Cache-Control, of a request or of a response (RFC 9111 §5.2.1.6, §5.2.2.6). */
export function forbidsTransforming(cacheControl: string | undefined): boolean {
  return cacheControl !== undefined && NO_TRANSFORM.test(cacheControl)
}

/** A request and the head of its answer. */
export interface Message {
  method: string
  /** The client asks for a part. */
  hasRange: boolean
  /** The client's own Cache-Control forbids it, for this client alone. */
  isFixed: boolean
  status: number
  traits: Traits
  /** Bytes of the body, `null` where unknown. */
  length: number | null
}

/**
 * - `codable`: the answer may be coded, as the client likes it
 * - `small`: the same, but it is not worth it
 * - `varying`: it has no body here, or a part, or this client wants it as it is; what others get depends on them
 * - `fixed`: it is what it is for everybody
 */
export type Eligibility = 'codable' | 'small' | 'varying' | 'fixed'

export interface EligibilityPolicy {
  types: MediaTypes
  thresholdBytes: number
}

/** Whether an answer may be coded. What is coded already is `fixed` here. */
export function eligibilityOf(message: Message, { types, thresholdBytes }: EligibilityPolicy): Eligibility {
  const { status, traits, method, length } = message
  if (traits.isFixed || traits.coding !== null) return 'fixed'
  // As a rule it does not say of what type the answer would be (RFC 9110 §15.4.5): it may be one of those.
  if (status === 304 && traits.type === '') return 'varying'
  if (!types(traits.type)) return 'fixed'
  if (message.isFixed || status === 304) return 'varying'
  // Coded, a part could be joined with no other (RFC 9110 §14.2), and HEAD's length is that of what is not coded.
  if (method === 'HEAD' || message.hasRange || status === 206 || status === 204 || status === 205) return 'varying'
  if (length === null) return 'codable'
  if (length === 0) return 'varying'
  return length < thresholdBytes ? 'small' : 'codable'
}

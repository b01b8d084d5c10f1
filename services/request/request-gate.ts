import type { Exchange } from '../downstream/exchange.ts'
import { METHOD_OVERRIDES } from '../downstream/method-overrides.ts'
import type { Gate, Verdict } from '../gate/gate.ts'
import { BodyTooLargeError } from '../http/errors.ts'
import { mediaTypeOf } from '../http/media-type.ts'
import { withFields } from '../http/problem.ts'
import { decodedParameterName } from '../http/query-text.ts'
import { fieldOf, onlyField } from '../http/request-fields.ts'
import {
  ContentTypeError,
  FieldCountError,
  FieldMissingError,
  FieldSizeError,
  QueryCountError,
  QueryDuplicateError,
  QueryLengthError,
  RequestMethodError,
} from './errors.ts'
import type { RequestLimits } from './options.ts'

/**
 * What a request of a route may be like, by its head. A body without a declared length is measured as it goes by
 * ({@link bodyLimit}).
 */
class RequestGate implements Gate {
  readonly step = 'request'
  readonly description: string
  readonly #limits: RequestLimits

  constructor(limits: RequestLimits) {
    this.#limits = limits
    this.description = inWords(limits)
  }

  check(exchange: Exchange): Verdict {
    const { methods, contentTypes, bodyBytes } = this.#limits
    if (methods !== null && !methods.includes(exchange.method)) {
      return withFields(new RequestMethodError(methods.join(', ')), ['allow', methods.join(', ')])
    }
    const { contentLength, kept } = exchange.fields
    if (methods !== null) METHOD_OVERRIDES.drop(kept)
    if (bodyBytes !== null && contentLength !== undefined && Number(contentLength) > bodyBytes) {
      return new BodyTooLargeError(bodyBytes)
    }
    if (contentTypes !== null && exchange.body !== null && !isOf(onlyField(kept, 'content-type'), contentTypes)) {
      return withFields(new ContentTypeError(contentTypes.join(', ')), ['accept', contentTypes.join(', ')])
    }
    return this.#fields(kept) ?? this.#query(exchange.query)
  }

  #fields(kept: readonly string[]): Verdict {
    const { count, bytes, required } = this.#limits.headers
    if (kept.length > count * 2) return new FieldCountError(count)
    let size = 0
    for (let i = 0; i < kept.length; i++) size += (kept[i] as string).length
    if (size > bytes) return new FieldSizeError(bytes)
    for (const name of required) if (fieldOf(kept, name) === undefined) return new FieldMissingError(name)
    return undefined
  }

  /** @param query with its question mark; empty for none */
  #query(query: string): Verdict {
    const { length, parameters, duplicates } = this.#limits.query
    if (query.length <= 1) return undefined
    if (query.length - 1 > length) return new QueryLengthError(length)
    if (parameters === Number.POSITIVE_INFINITY && duplicates === 'allow') return undefined
    const pieces = query.slice(1).split('&')
    if (pieces.length > parameters) return new QueryCountError(parameters)
    if (duplicates === 'allow') return undefined
    const names = new Set<string>()
    for (const piece of pieces) {
      const name = decodedParameterName(piece.split('=', 1)[0] as string)
      if (names.has(name)) return new QueryDuplicateError()
      names.add(name)
    }
    return undefined
  }
}

/** @param types in lower case */
function isOf(given: string | undefined, types: readonly string[]): boolean {
  if (given === undefined) return false
  const type = mediaTypeOf(given)
  const whole = `${type.split('/', 1)[0]}/*`
  return types.includes(type) || types.includes(whole)
}

function inWords({ methods, bodyBytes, contentTypes, headers, query }: RequestLimits): string {
  const said = [
    ...(methods === null ? [] : [methods.join(', ')]),
    ...(bodyBytes === null ? [] : [`bodies of at most ${bodyBytes} bytes`]),
    ...(contentTypes === null ? [] : [`bodies of ${contentTypes.join(', ')}`]),
    ...(Number.isFinite(headers.count) ? [`at most ${headers.count} fields`] : []),
    ...(Number.isFinite(headers.bytes) ? [`fields of at most ${headers.bytes} bytes`] : []),
    ...(headers.required.length > 0 ? [`with ${headers.required.join(', ')}`] : []),
    ...(Number.isFinite(query.length) ? [`a query of at most ${query.length} characters`] : []),
    ...(Number.isFinite(query.parameters) ? [`at most ${query.parameters} parameters`] : []),
    ...(query.duplicates === 'refuse' ? ['each parameter once'] : []),
  ]
  return said.join('; ')
}

/** Bytes that a body of a request may have on its way, on a route with these limits. */
export function bodyLimit(limits: RequestLimits | null | undefined, gatewayBytes: number): number {
  return Math.min(limits?.bodyBytes ?? gatewayBytes, gatewayBytes)
}

/** The gate of a route with `request`. */
export function requestGate({ request }: { request: RequestLimits | null }): Gate | null {
  return request === null ? null : new RequestGate(request)
}

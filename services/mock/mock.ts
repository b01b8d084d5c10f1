import { requestFieldValue } from '../cache/rules/message.ts'
import { noteClientGone } from '../downstream/client-gone.ts'
import type { Exchange } from '../downstream/exchange.ts'
import { discardBody } from '../downstream/unread-body.ts'
import { currentDate } from '../http/current-date.ts'
import { type GatewayError, withFields } from '../http/problem.ts'
import { type DocumentOfRoutes, NoDocument, RETRY_AFTER_S, type ServedDocument } from '../openapi/served-documents.ts'
import type { Detour, Ends } from '../proxy/detour.ts'
import type { PathWriter } from '../proxy/path-writer.ts'
import type { RoutePlan } from '../proxy/plan.ts'
import { MockDocumentError } from './errors.ts'
import { operationOf } from './operation.ts'
import type { MockOptions } from './options.ts'
import { appliedOf, preferenceOf } from './prefer.ts'
import { respond } from './response.ts'

/** Tells people that no upstream was asked. */
const MOCK_FIELD = 'x-headrace-mock'

export interface MockParts {
  /** The document that is answered from. */
  document: DocumentOfRoutes
  /** What an upstream would be sent; `null`: the path as it is. */
  writer: PathWriter | null
}

/**
 * A route that is answered from the examples of an OpenAPI document, by the operation that its upstream would be asked for.
 * What of it a client prefers (`Prefer: code=404, example=name`) goes over what the configuration says.
 */
export class Mock implements Detour {
  readonly plans = []
  readonly #options: MockOptions
  readonly #parts: MockParts

  constructor(options: MockOptions, parts: MockParts) {
    this.#options = options
    this.#parts = parts
  }

  take(exchange: Exchange<RoutePlan>, ends: Ends): null {
    discardBody(exchange)
    exchange.work = { cancel: () => left(exchange, ends) }
    this.#parts.document
      .current()
      .then((document) => {
        if (document instanceof NoDocument) refuse(exchange, ends, unavailable(document))
        else this.#answer(document, exchange, ends)
      })
      .catch((error: unknown) => refuse(exchange, ends, error))
    return null
  }

  upgrade(): null {
    return null
  }

  #answer({ specification, operations }: ServedDocument, exchange: Exchange<RoutePlan>, ends: Ends): void {
    if (exchange.finished) return
    const { method, path, parameters, fields, reply, requestId } = exchange
    const { writer } = this.#parts
    const found = operationOf(operations, method, writer === null ? path : writer.send(path, parameters))
    const preference = preferenceOf(fields.kept)
    const { status, example } = this.#options
    const response = respond(specification, found, {
      status: preference.status ?? status,
      // A name of one response is none of another's.
      example: preference.example ?? (preference.status === null ? example : null),
      accept: requestFieldValue(fields.kept, 'accept'),
    })
    const applied = appliedOf(preference)
    const own = [MOCK_FIELD, '1', 'vary', 'prefer, accept', 'date', currentDate(), 'x-request-id', requestId]
    if (applied !== undefined) own.push('preference-applied', applied)
    exchange.work = undefined
    exchange.status = response.status
    reply.head(response.status, [...response.fields, ...own], response.body.length)
    if (method === 'HEAD' || response.body.length === 0) reply.end()
    else reply.end(response.body)
    ends.finish(exchange)
  }
}

function unavailable({ name, reason }: NoDocument): GatewayError {
  return withFields(new MockDocumentError(name, reason), ['retry-after', String(RETRY_AFTER_S)])
}

/** The client has left before there was an answer. */
function left(exchange: Exchange<RoutePlan>, ends: Ends): void {
  exchange.work = undefined
  noteClientGone(exchange)
  ends.finish(exchange)
}

function refuse(exchange: Exchange<RoutePlan>, ends: Ends, error: unknown): void {
  if (exchange.finished) return
  exchange.work = undefined
  const { code } = error as { code?: unknown }
  if (typeof code === 'string' && code.startsWith('HR_MOCK_')) ends.refuse(exchange, error as GatewayError)
  else ends.broke(exchange, error)
}

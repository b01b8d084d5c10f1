import { randomBytes } from 'node:crypto'
import type { Exchange } from '../downstream/exchange.ts'
import type { CacheExchange } from './context.ts'
import { ageAt } from './rules/age.ts'
import { evaluatePreconditions, notModifiedFields, rangeApplies, type Precondition } from './rules/conditional.ts'
import type { FieldList, ResponseHead } from './rules/message.ts'
import { partialContent, unsatisfiedFields } from './rules/partial-content.ts'
import { selectRanges } from './rules/range.ts'
import { addControls } from './rules/sending.ts'
import type { Entry } from './store/entry.ts'
import type { StoredResponse } from './stored.ts'
import { toldByOrigin } from './telling.ts'

/** Answers a client from what is stored: whole, a part of it, or that it has it already. */

/** `unanswered`: the stored part does not hold what is asked for, or the precondition is the origin's to decide. */
export type StoredAnswer = 'answered' | 'unanswered'

/**
 * @param cacheStatus this cache's member of Cache-Status
 * @param now milliseconds since 1970
 */
export function answerStored(exchange: CacheExchange, entry: Entry, cacheStatus: string, now: number): StoredAnswer {
  const { fields: request, method, reply } = exchange
  // Without a route's own words the two are one object.
  const isAsStored = entry.told === entry.stored || request.authorization === undefined
  const prepared = isAsStored ? entry : toldByOrigin(exchange, entry)
  const { told: stored, controls } = prepared
  exchange.cacheStatus = cacheStatus
  const age = ageAt(entry.bornAt, now)
  const own = ['age', String(age), 'cache-status', cacheStatus, 'x-request-id', exchange.requestId]
  if (controls !== null) addControls(own, controls, now < entry.freshUntil ? age : null)
  if (request.conditional) {
    const precondition = evaluatePreconditions(request, stored)
    if (precondition === 'failed') return 'unanswered'
    if (precondition === 'not-modified') {
      exchange.about = stored.fields
      send(exchange, 304, [...notModifiedFields(stored.fields), ...own])
      return 'answered'
    }
  }
  if (request.range !== undefined && method === 'GET' && (stored.status === 200 || stored.part !== null)) {
    const answer = answerRange(exchange, stored, { own, now })
    if (answer !== 'whole') return answer
  }
  if (stored.part !== null) return 'unanswered'
  exchange.status = stored.status
  reply.whole(prepared, own)
  return 'answered'
}

/** RFC 9110 §14.2. `whole`: the Range is ignored. */
function answerRange(
  exchange: Exchange,
  stored: StoredResponse,
  { own, now }: { own: readonly string[]; now: number },
): StoredAnswer | 'whole' {
  const { fields: request } = exchange
  if (!rangeApplies(request.ifRange, stored)) return 'whole'
  const ranges = selectRanges(request.range as string, stored)
  if (ranges === 'whole') return 'whole'
  if (ranges === 'uncovered') return 'unanswered'
  if (ranges === 'unsatisfiable') {
    const date = ['date', new Date(now).toUTCString()]
    send(exchange, 416, [...unsatisfiedFields(stored.part?.complete ?? stored.body.length), ...date, ...own], '')
    return 'answered'
  }
  const { fields, body } = partialContent(stored, ranges, randomBytes(12).toString('hex'))
  send(exchange, 206, [...withoutOwn(fields), ...own], body)
  return 'answered'
}

/** Whether what is asked for is a part that is stored. */
export function holdsRange({ fields: { range, ifRange } }: Exchange, stored: StoredResponse): boolean {
  return range !== undefined && rangeApplies(ifRange, stored) && typeof selectRanges(range, stored) === 'object'
}

/** What a client's preconditions make of an answer that is on its way (RFC 9110 §13.2.2). */
export function preconditionOf(exchange: Exchange, head: ResponseHead): Precondition {
  return exchange.fields.conditional ? evaluatePreconditions(exchange.fields, head) : 'full'
}

export function send(
  exchange: Exchange,
  status: number,
  fields: string[],
  body: string | Uint8Array | null = null,
): void {
  exchange.status = status
  exchange.reply.head(status, fields, body === null ? null : body.length)
  if (body === null || body.length === 0) exchange.reply.end()
  else exchange.reply.end(typeof body === 'string' ? Buffer.from(body, 'latin1') : body)
}

/** Less what is written anew: the framing by the reply, and the age here. */
function withoutOwn(fields: FieldList): string[] {
  const kept: string[] = []
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] !== 'content-length' && fields[i] !== 'age') kept.push(fields[i] as string, fields[i + 1] as string)
  }
  return kept
}

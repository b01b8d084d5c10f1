import { RelayedReply } from '../downstream/relayed-reply.ts'
import type { Reply } from '../downstream/reply.ts'
import { answerStored } from './answer.ts'
import { type CacheContext, type CacheExchange, routeCacheOf } from './context.ts'
import { isError, servesOnFailure } from './failure.ts'
import { lifeOf } from './retention.ts'
import { forwardStatus } from './rules/cache-status.ts'
import type { Entry } from './store/entry.ts'

/**
 * Has what is stored answer a HEAD that was sent on, where the origin fails and a GET would be answered so (RFC 5861 §4,
 * RFC 9111 §4.2.4).
 *
 * @param bare the client's reply, behind all that tells or watches what comes from the origin
 */
export function standIn({ now }: Pick<CacheContext, 'now'>, exchange: CacheExchange, entry: Entry, bare: Reply): void {
  exchange.reply = new StandInReply(exchange.reply, (status) => {
    // Only what the gateway itself answers has a code.
    const failure = exchange.code === '' ? 'error' : 'disconnected'
    const at = now()
    if (!servesOnFailure(entry, exchange, { failure, now: at })) return false
    const { policy } = routeCacheOf(exchange)
    const told = forwardStatus({
      reason: at < entry.freshUntil ? 'request' : 'stale',
      status: failure === 'error' ? status : undefined,
      ttl: Math.floor((lifeOf(entry, policy).staleAt - at) / 1000),
      key: policy.details ? entry.key : undefined,
    })
    const { reply, cacheStatus } = exchange
    exchange.reply = bare
    const isAnswered = answerStored(exchange, entry, told, at) === 'answered'
    exchange.reply = reply
    if (!isAnswered) {
      exchange.cacheStatus = cacheStatus
      return false
    }
    exchange.cacheResult = 'stale'
    // The client has no problem.
    exchange.code = ''
    return true
  })
}

/** A reply to a HEAD, in the place of whose error there may come another answer. */
class StandInReply extends RelayedReply {
  readonly #answer: (status: number) => boolean
  #isAnswered = false

  /** @param answer told of an error; it has answered the client where it returns `true` */
  constructor(reply: Reply, answer: (status: number) => boolean) {
    super(reply)
    this.#answer = answer
  }

  override head(status: number, fields: string[], length: number | null): void {
    this.#isAnswered = isError(status) && this.#answer(status)
    if (!this.#isAnswered) super.head(status, fields, length)
  }

  override end(chunk?: Uint8Array, trailers?: string[]): void {
    if (!this.#isAnswered) super.end(chunk, trailers)
  }
}

import { hash, randomUUID } from 'node:crypto'
import { type Command, script, textOf } from '../redis/command.ts'
import { RedisLink } from '../redis/link.ts'
import type { RedisOptions } from '../redis/options.ts'
import type { Ledger } from './ledger.ts'
import type { Loan, LoanRequest } from './lending.ts'

/**
 * `lend` of lending.ts, atomically. One key a call, so that a cluster finds its node, and each key ends by itself once its
 * bucket is full. The clock is Redis' own, the same for all; it may be set back: what is kept of a clock that was ahead is
 * believed only as far as it can be true.
 *
 * KEYS[1] the theoretical arrival time. ARGV: interval, burst, debt, used, need, want, members, and of a quota the period's
 * time and the milliseconds it lasts. Numbers are written out whole: Redis would cut them to integers.
 */
const LEND = script(`
local interval, burst, debt = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local used, need, want, members = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local tat = tonumber(redis.call('GET', KEYS[1]) or '0')
local most = (burst + debt) * interval
local now
if ARGV[8] == '' then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000
  tat = math.min(tat, now + most)
else
  now = math.max(tonumber(ARGV[8]), math.floor(tat / 1e10) * 1e10)
end
local start = math.max(now, math.min(math.max(tat, now) + used * interval, now + most))
local left = math.max(0, math.floor(burst - (start - now) / interval + 0.001))
local share = left
if members > 1 then share = math.floor(left / (2 * members)) end
local granted = 0
if need > 0 and left >= need then granted = math.max(need, math.min(want, share)) end
local after = start + granted * interval
local wait = 0
if granted == 0 then
  wait = after - now - (burst - math.max(need, 1)) * interval
  if wait <= 0.001 * interval then wait = 0 end
end
if after > now then
  local ttl = ARGV[9]
  if ttl == '' then ttl = string.format('%d', math.ceil(after - now) + 1000) end
  redis.call('SET', KEYS[1], string.format('%.17g', after), 'PX', ttl)
elseif tat > 0 then
  redis.call('DEL', KEYS[1])
end
return { string.format('%d', granted), string.format('%.17g', start), string.format('%.17g', now), string.format('%d', left - granted), string.format('%.17g', wait) }
`)

/**
 * Says that a process is there, and asks how many are: KEYS[1] the processes by when each was heard of. ARGV: its name, after
 * how many milliseconds one that is silent is gone. Empty: it says that it goes.
 */
const HEARD = script(`
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
if ARGV[3] == 'gone' then redis.call('ZREM', KEYS[1], ARGV[1]) else redis.call('ZADD', KEYS[1], now, ARGV[1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])
`)

export type LedgerLog = Record<'info' | 'warn', (details: object, message: string) => void>

const HEARTBEAT_MS = 1_000
const SILENT_MS = 5_000
/** Until the others have heard of a new process, at their next heartbeat, it uses nothing ahead. */
const JOINING_MS = 2 * HEARTBEAT_MS
/** What is kept of a quota after its period, for processes whose clocks are behind. */
const LINGER_MS = 3_600_000

/**
 * Limits in Redis, for all processes of all machines with the same prefix. It has a connection of its own, so that no large
 * answer of the cache is before a decision; it may be away at any time, and comes back by itself.
 *
 * Keys are told by digests: what a header says is not seen in Redis.
 */
export class RedisLedger implements Ledger {
  readonly name = 'redis'
  readonly link: RedisLink
  readonly #prefix: string
  readonly #id = randomUUID()
  readonly #timer: NodeJS.Timeout
  #members = Number.POSITIVE_INFINITY
  #joinedAt = 0
  #closed = false

  /** @throws HR_REDIS_TLS_FILE */
  constructor(options: RedisOptions, log: LedgerLog) {
    this.link = new RedisLink(options)
    this.#prefix = `${options.prefix}:limit`
    let isAway = false
    this.link.on('ready', () => {
      void this.#beat()
      if (isAway) log.info({ ledger: 'redis' }, 'rate limits are shared again')
      isAway = false
    })
    this.link.on('away', () => {
      if (!isAway && !this.#closed) {
        log.warn({ ledger: 'redis', reason: this.link.reason }, 'rate limits go on without Redis, in each process')
      }
      isAway = true
    })
    this.#timer = setInterval(() => void this.#beat(), HEARTBEAT_MS).unref()
  }

  get ready(): boolean {
    return this.link.ready
  }

  get members(): number {
    return performance.now() - this.#joinedAt < JOINING_MS ? Number.POSITIVE_INFINITY : this.#members
  }

  async settle(requests: readonly LoanRequest[]): Promise<readonly (Loan | null)[]> {
    const replies = await this.link.batch(requests.map((request) => this.#command(request)))
    return replies.map(loanOf)
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    if (this.ready) await this.#beat('gone')
    this.link.close()
  }

  #command({ limit, key, pace, period, used, need, want }: LoanRequest): Command {
    const digest = hash('sha256', `${limit}\n${key}`, 'base64url').slice(0, 27)
    const members = Number.isFinite(this.#members) ? this.#members : 1_000
    const ttl = period === null ? '' : Math.max(1, Math.ceil(period.endsAt - Date.now())) + LINGER_MS
    const { interval, burst, debt } = pace
    const args = [interval, burst, debt, used, need, want, members, period === null ? '' : period.now, ttl]
    return { script: LEND, keys: [`${this.#prefix}:{${digest}}`], args }
  }

  async #beat(how = 'here'): Promise<void> {
    if (!this.ready) return
    const command = { script: HEARD, keys: [`${this.#prefix}:{members}`], args: [this.#id, SILENT_MS, how] }
    // One that fails is followed by the next.
    const [reply] = await this.link.batch([command]).catch(() => [])
    if (typeof reply !== 'number') return
    if (!Number.isFinite(this.#members)) this.#joinedAt = performance.now()
    this.#members = Math.max(1, reply)
  }
}

function loanOf(reply: unknown): Loan | null {
  if (!Array.isArray(reply)) return null
  const [granted, start, now, left, wait] = reply.map((part) => Number(textOf(part)))
  return { granted, start, now, left, wait } as Loan
}

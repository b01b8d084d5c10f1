import { hash, randomUUID } from 'node:crypto'
import { type Command, script, textOf } from '../redis/command.ts'
import { RedisLink } from '../redis/link.ts'
import type { RedisOptions } from '../redis/options.ts'
import type { Ledger } from './ledger.ts'
import { LEND } from './lend-script.ts'
import type { Loan, LoanRequest } from './lending.ts'

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

/**
 * Limits in Redis, for all processes of all machines with the same prefix. It has a connection of its own, so that no large
 * answer of the cache is before a decision; it may be away at any time, and comes back by itself.
 *
 * Keys are told by digests: what a header says is not seen in Redis.
 */
export class RedisLedger implements Ledger {
  readonly name = 'redis'
  readonly link: RedisLink
  reason: string | null = null
  /** What it refuses, whatever becomes of the other. */
  readonly #refused = new Set<'loans' | 'heartbeats'>()
  readonly #log: LedgerLog
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
    this.#log = log
    this.link.on('ready', () => {
      this.#refused.clear()
      void this.#beat()
    })
    this.link.on('away', () => this.#isAway(this.link.reason))
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
    this.#answered('loans', replies)
    return replies.map(loanOf)
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    if (this.ready) await this.#beat('gone')
    this.link.close()
  }

  #answered(what: 'loans' | 'heartbeats', replies: readonly unknown[]): void {
    // It is full, say, or refuses this user the script.
    const refusal = replies.find((reply) => reply instanceof Error)
    if (refusal === undefined) this.#refused.delete(what)
    else this.#refused.add(what)
    if (refusal !== undefined) this.#isAway(refusal.message)
    else if (this.#refused.size === 0) this.#isBack()
  }

  #isAway(reason: string | null): void {
    if (this.reason === null && !this.#closed) {
      this.#log.warn({ ledger: 'redis', reason }, 'rate limits go on without Redis, in each process')
    }
    this.reason = reason ?? 'it does not answer'
  }

  #isBack(): void {
    if (this.reason !== null) this.#log.info({ ledger: 'redis' }, 'rate limits are shared again')
    this.reason = null
  }

  #command({ limit, key, pace, period, used, need, want }: LoanRequest): Command {
    const digest = hash('sha256', `${limit}\n${key}`, 'base64url').slice(0, 27)
    const members = Number.isFinite(this.#members) ? this.#members : 1_000
    const { interval, burst, debt } = pace
    const args = [interval, burst, debt, used, need, want, members, period ?? '']
    return { script: LEND, keys: [`${this.#prefix}:{${digest}}`], args }
  }

  async #beat(how = 'here'): Promise<void> {
    if (!this.ready) return
    const command = { script: HEARD, keys: [`${this.#prefix}:{members}`], args: [this.#id, SILENT_MS, how] }
    // One that fails is followed by the next.
    const replies = await this.link.batch([command]).catch(() => null)
    if (replies === null) return
    this.#answered('heartbeats', replies)
    const [reply] = replies
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

import type { GateStep } from '../gate/gate.ts'
import { AllowList } from './allow-list.ts'
import { CalendarClock, type LimitClock, type Period, SteadyClock } from './clock.ts'
import { type Decision, emptyDecision, type Limiter } from './decision.ts'
import { type Pace, paceOf } from './gcra.ts'
import { LimitKey } from './key.ts'
import type { LimitOptions } from './options.ts'
import type { TopKeys } from './top-keys.ts'

/** What has become of requests, for one limit. */
export interface LimitCounts {
  allowed: number
  limited: number
  /** Would have been refused, were it in force. */
  wouldLimit: number
  /** The limit does not hold for them. */
  exempt: number
}

/** What a limit has to go on with, whatever else of it changes: who has used how much, and what was counted. */
export interface LimitState {
  readonly limiter: Limiter
  readonly counts: LimitCounts
  readonly refused: TopKeys
}

/** What decides about a limit's buckets: with another of these, nothing of the old ones holds. */
export interface LimitShape {
  name: string
  options: LimitOptions
  /** Of a quota. */
  period: Period | null
}

/** The same text for limits whose buckets are the same. */
export function identityOf({ name, options, period }: LimitShape): string {
  const { rate, burst, by, measured, mode, ipv6Subnet, maxKeys } = options
  return JSON.stringify([name, period, rate, burst, by, measured, mode, ipv6Subnet, maxKeys])
}

export function paceOfLimit({ options, period }: LimitShape): Pace {
  const { rate, burst } = options
  return period === null ? paceOf(rate, burst) : { interval: 1, burst, debt: burst }
}

/** What limits are counted in. */
export interface Times {
  /** Epoch, ms: of quotas. */
  wall: () => number
  /** Milliseconds of a clock that nobody sets. */
  steady: () => number
}

export const SYSTEM_TIMES: Times = { wall: Date.now, steady: () => performance.now() }

export function clockOf({ period }: LimitShape, { wall, steady }: Times): LimitClock {
  return period === null ? new SteadyClock(steady) : new CalendarClock(period, wall)
}

/** One limit, on whatever routes it holds. */
export class Limit {
  readonly name: string
  readonly options: LimitOptions
  readonly period: Period | null
  readonly state: LimitState
  readonly key: LimitKey
  readonly allowed: AllowList
  readonly step: GateStep
  /** Used again by each request that is decided at once. */
  readonly decision: Decision = emptyDecision()

  /** @throws HR_RATE_ALLOW_LIST */
  constructor({ name, options, period }: LimitShape, state: LimitState) {
    this.name = name
    this.options = options
    this.period = period
    this.state = state
    this.key = new LimitKey(options.by, options.ipv6Subnet)
    this.allowed = new AllowList(options.allowList)
    this.step = this.key.ofIdentity || this.allowed.ofIdentity ? 'allowance' : 'limit'
  }

  get description(): string {
    const { rate, burst, by, measured } = this.options
    const unit = measured ?? 'requests'
    const pace = this.period === null ? `in ${rate.windowMs / 1000} s, ${burst} at once` : `a ${this.period}`
    return `${this.name}: ${rate.count} ${unit} ${pace}, by ${by.join(' and ')}`
  }
}

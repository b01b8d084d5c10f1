import { type GatewayError, withFields } from '../http/problem.ts'
import { AdmittedShare } from './admitted-share.ts'
import { CLASSES, type ClassIndex, CRITICAL, shareInFlight } from './classes.ts'
import { PressureCounters } from './counters.ts'
import { ShedError } from './errors.ts'
import type { Load } from './load.ts'
import type { PressureOptions } from './options.ts'
import { type Readings, REASONS } from './readings.ts'
import { type PressureReport, reportOf } from './report.ts'
import { type Signal, signalsOf } from './signals.ts'

/** Of what has come before, in what is taken to come next. */
const MEMORY = 0.5
const IN_FLIGHT = REASONS.indexOf('in-flight')
/** Errors that differ in their Retry-After alone: each is made once, as making one costs more than sending it. */
const VARIANTS = 8

export interface PressureParts {
  /** 0…1, without 1. */
  random: () => number
  load: Load
  /** Of the gateway whose place is taken; by default, nothing has happened yet. */
  counters?: PressureCounters
}

/**
 * How much of what comes there is room for, and which part of it. It learns that from readings of the process (`sampled`), a
 * few times a second; of a request it wants two comparisons and, while something is turned away, a random number.
 *
 * What passes is decided from the top: the classes that matter most get what there is room for, one class is turned away in
 * part, and those below it wholly (as in Zhou et al., "Overload Control for Scaling WeChat Microservices", SoCC 2018).
 */
export class Pressure {
  readonly options: PressureOptions
  readonly counters: PressureCounters
  readonly load: Load
  readonly #random: () => number
  readonly #share = new AdmittedShare()
  readonly #refusals: readonly GatewayError[]
  /** Chance of each class to be turned away. */
  readonly #chances = new Float64Array(CLASSES.length)
  /** What has come since the last sample, and what comes in one. */
  readonly #arrived = new Float64Array(CLASSES.length)
  readonly #expected = new Float64Array(CLASSES.length)
  readonly #mostInFlight: readonly number[]
  /** Index of why; as it was when it last was something. */
  #reason = 0
  #readings: Readings | null = null
  #signals: readonly Signal[] = []
  #hasBegun = false

  constructor(options: PressureOptions, { random, load, counters = new PressureCounters() }: PressureParts) {
    this.options = options
    this.counters = counters
    this.load = load
    this.#random = random
    this.#refusals = refusals(options.retryAfterMs)
    const { maxInFlight } = options
    this.#mostInFlight = CLASSES.map((_, index) =>
      maxInFlight === 0 ? Number.POSITIVE_INFINITY : Math.ceil(maxInFlight * shareInFlight(index)),
    )
  }

  /** What the process looks like now; called at an interval, by whoever has the sensors. */
  sampled(readings: Readings): void {
    this.#readings = readings
    this.#signals = signalsOf(readings, this.options)
    // Before anything has come it is the start's own work that presses: turning away would not relieve it.
    this.#hasBegun ||= this.#arrived.some((count) => count > 0)
    if (!this.#hasBegun) return
    const worst = worstOf(this.#signals)
    const queues = this.#signals.filter(({ reason }) => reason !== 'event-loop-utilization')
    this.#share.step(worstOf(queues)?.pressure ?? 0, this.#busy(readings))
    if (worst !== null && worst.pressure > 1) this.#reason = REASONS.indexOf(worst.reason)
    this.#distribute()
  }

  /** How busy it is, 1 at the threshold; 0 where that is not looked at or not known. */
  #busy({ eventLoopUtilization }: Readings): number {
    const { maxEventLoopUtilization } = this.options
    return maxEventLoopUtilization > 0 && eventLoopUtilization > 0 ? eventLoopUtilization / maxEventLoopUtilization : 0
  }

  /** 0: everything passes; 1: nothing but what is critical. */
  get level(): number {
    return 1 - this.#share.share
  }

  /** Something may be turned away now. */
  get active(): boolean {
    return this.#share.share < 1 || this.load.inFlight >= this.#mostInFlight[0]!
  }

  /** Whether a request of a class passes. @returns why not; always the same few errors */
  admit(index: ClassIndex): GatewayError | undefined {
    this.#arrived[index]!++
    return this.#refuse(index, this.#chances[index]!) ?? this.#passed(index)
  }

  /**
   * The same, before it is known who calls.
   *
   * @param best the class of the most important that may call: what would not even pass then is turned away, and counted there
   */
  admitUnknown(best: ClassIndex): GatewayError | undefined {
    const refusal = this.#refuse(best, this.#chances[best]!)
    if (refusal !== undefined) this.#arrived[best]!++
    return refusal
  }

  /** The rest of the decision, once it is known: both together turn away as many of its class as {@link admit}. */
  admitKnown(index: ClassIndex, best: ClassIndex): GatewayError | undefined {
    this.#arrived[index]!++
    const taken = this.#chances[best]!
    const chance = this.#chances[index]!
    const rest = chance <= taken ? 0 : (chance - taken) / (1 - taken)
    return this.#refuse(index, rest) ?? this.#passed(index)
  }

  report(): PressureReport {
    return reportOf({
      level: this.level,
      chances: this.#chances,
      inFlight: { now: this.load.inFlight, limit: this.options.maxInFlight },
      readings: this.#readings,
      signals: this.#signals,
      counters: this.counters,
    })
  }

  #refuse(index: ClassIndex, chance: number): GatewayError | undefined {
    // It is among them itself.
    if (this.load.inFlight > this.#mostInFlight[index]!) return this.#turnAway(index, IN_FLIGHT)
    if (chance === 0 || this.#random() >= chance) return undefined
    return this.#turnAway(index, this.#reason)
  }

  #passed(index: ClassIndex): undefined {
    this.counters.admitted[index]!++
  }

  #turnAway(index: ClassIndex, reason: number): GatewayError {
    this.counters.shed(index, reason)
    return this.#refusals[Math.floor(this.#random() * this.#refusals.length)]!
  }

  /** Gives the room that there is to the classes, the most important first. */
  #distribute(): void {
    let total = 0
    for (let index = 0; index < CLASSES.length; index++) {
      this.#expected[index] = MEMORY * this.#expected[index]! + (1 - MEMORY) * this.#arrived[index]!
      this.#arrived[index] = 0
      total += this.#expected[index]!
    }
    let room = this.#share.share * total
    for (let index = CRITICAL; index >= 0; index--) {
      const expected = this.#expected[index]!
      const given = Math.min(expected, room)
      room -= given
      if (this.#share.share === 1 || index === CRITICAL) this.#chances[index] = 0
      else if (expected > 0) this.#chances[index] = 1 - given / expected
      else this.#chances[index] = room > 0 ? 0 : 1
    }
  }
}

function worstOf(signals: readonly Signal[]): Signal | null {
  return signals.reduce<Signal | null>(
    (found, one) => (found === null || one.pressure > found.pressure ? one : found),
    null,
  )
}

/** One for each number of seconds from the time that is given to twice that, so that not all come back at once. */
function refusals(retryAfterMs: number): GatewayError[] {
  return Array.from({ length: VARIANTS }, (_, index) => {
    const seconds = Math.ceil((retryAfterMs * (1 + index / (VARIANTS - 1))) / 1000)
    const error = new ShedError()
    // Until its trace is asked for, V8 keeps what it leads through: the gateway that was being built.
    void error.stack
    return withFields(error, ['retry-after', String(Math.max(1, seconds))])
  })
}

import { CLASSES } from './classes.ts'
import type { PressureCounters } from './counters.ts'
import { type Readings, type Reason, REASONS } from './readings.ts'
import type { Signal } from './signals.ts'

/** How one process does. */
export interface PressureReport {
  state: 'calm' | 'shedding'
  /** 0: everything passes; 1: nothing but what is critical. */
  level: number
  /** What is over its threshold now. */
  reasons: Reason[]
  inFlight: { now: number; limit: number | null }
  /** `null` before the first sample. */
  readings: Readings | null
  classes: ClassReport[]
}

/** What becomes of one priority's requests. */
export interface ClassReport {
  priority: string
  anonymous: boolean
  /** Chance to be turned away now: 0…1. */
  chance: number
  admitted: number
  shed: Record<Reason, number>
}

export function reportOf(from: {
  level: number
  chances: Float64Array
  inFlight: { now: number; limit: number }
  readings: Readings | null
  signals: readonly Signal[]
  counters: PressureCounters
}): PressureReport {
  const { level, chances, inFlight, readings, signals, counters } = from
  const isOver = inFlight.limit > 0 && inFlight.now > inFlight.limit
  const over = new Set<Reason>(signals.filter(({ pressure }) => pressure > 1).map(({ reason }) => reason))
  if (isOver) over.add('in-flight')
  return {
    state: level > 0 || isOver ? 'shedding' : 'calm',
    level,
    reasons: [...over],
    inFlight: { now: inFlight.now, limit: inFlight.limit || null },
    readings,
    classes: CLASSES.map((name, index) => ({
      ...namesOf(name),
      chance: chances[index]!,
      admitted: counters.admitted[index]!,
      shed: Object.fromEntries(
        REASONS.map((reason) => [reason, counters.shedOf(index, reason)]),
      ) as ClassReport['shed'],
    })),
  }
}

/**
 * What all processes say, as one: the hardest pressed is shown, and what has happened is added up.
 *
 * @returns `null` where none looks
 */
export function mergePressure(parts: readonly (PressureReport | null)[]): PressureReport | null {
  const reports = parts.filter((part) => part !== null)
  const [first] = reports
  if (first === undefined) return null
  const worst = reports.reduce((found, one) => (one.level > found.level ? one : found))
  const sum = (read: (report: PressureReport) => number): number => reports.reduce((all, one) => all + read(one), 0)
  return {
    state: reports.some(({ state }) => state === 'shedding') ? 'shedding' : 'calm',
    level: worst.level,
    reasons: [...new Set(reports.flatMap(({ reasons }) => reasons))],
    inFlight: {
      now: sum(({ inFlight }) => inFlight.now),
      limit: first.inFlight.limit === null ? null : sum(({ inFlight }) => inFlight.limit ?? 0),
    },
    readings: worst.readings,
    classes: first.classes.map((one, index) => ({
      ...one,
      chance: Math.max(...reports.map(({ classes }) => classes[index]!.chance)),
      admitted: sum(({ classes }) => classes[index]!.admitted),
      shed: Object.fromEntries(
        REASONS.map((reason) => [reason, sum(({ classes }) => classes[index]!.shed[reason])]),
      ) as ClassReport['shed'],
    })),
  }
}

/** What stays counted when a process is gone. */
export function lastingPressure(report: PressureReport | null): PressureReport | null {
  if (report === null) return null
  const classes = report.classes.map((one) => ({ ...one, chance: 0 }))
  return {
    ...report,
    state: 'calm',
    level: 0,
    reasons: [],
    inFlight: { now: 0, limit: report.inFlight.limit && 0 },
    classes,
  }
}

function namesOf(name: (typeof CLASSES)[number]): { priority: string; anonymous: boolean } {
  const [priority = '', anonymous] = name.split(' ')
  return { priority, anonymous: anonymous !== undefined }
}

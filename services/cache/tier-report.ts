import type { SecondTierReport } from './second-tier.ts'
import type { RedisBusStats } from './store/redis-bus.ts'

/** Of several processes: what a tier holds is the same for all, what was done with it is not. Away for one is away. */
export function mergeTiers(reports: readonly SecondTierReport[]): SecondTierReport[] {
  return [...Map.groupBy(reports, ({ name }) => name)].map(([name, parts]) => {
    const total = (count: (part: SecondTierReport) => number): number =>
      parts.reduce((sum, part) => sum + count(part), 0)
    const away = parts.find(({ state }) => state === 'away')
    return {
      name,
      state: away === undefined ? 'up' : 'away',
      reason: (away ?? parts.find(({ reason }) => reason !== null))?.reason ?? null,
      reads: total(({ reads }) => reads),
      hits: total(({ hits }) => hits),
      failures: total(({ failures }) => failures),
      skipped: total(({ skipped }) => skipped),
      broken: total(({ broken }) => broken),
      writes: total(({ writes }) => writes),
      dropped: total(({ dropped }) => dropped),
      queued: total(({ queued }) => queued),
      purging: total(({ purging }) => purging),
      entries: most(parts.map(({ entries }) => entries)),
      bytes: most(parts.map(({ bytes }) => bytes)),
      memory: parts.find(({ memory }) => memory !== null)?.memory ?? null,
      bus: mergeBuses(parts.flatMap(({ bus }) => bus ?? [])),
    }
  })
}

function mergeBuses(parts: readonly RedisBusStats[]): RedisBusStats | null {
  if (parts.length === 0) return null
  const total = (count: (part: RedisBusStats) => number): number => parts.reduce((sum, part) => sum + count(part), 0)
  return {
    state: parts.every(({ state }) => state === 'following') ? 'following' : 'away',
    received: total(({ received }) => received),
    recovered: total(({ recovered }) => recovered),
    gaps: total(({ gaps }) => gaps),
  }
}

function most(numbers: readonly (number | null)[]): number | null {
  const known = numbers.filter((number) => number !== null)
  return known.length === 0 ? null : Math.max(...known)
}

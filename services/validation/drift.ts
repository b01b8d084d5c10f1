import type { Disagreement, ValidationRecord } from './record.ts'

/** What disagrees with its specification, in one process or in all. */
export interface DriftReport {
  disagreements: Disagreement[]
  /** Disagreements for which there was no room: counted only. */
  dropped: number
}

export function readDrift(record: Pick<ValidationRecord, 'disagreements' | 'dropped'>): DriftReport {
  return { disagreements: record.disagreements(), dropped: record.dropped }
}

/** The same kind in several processes is one; the most frequent come first. */
export function mergeDrift(parts: readonly DriftReport[]): DriftReport {
  const byKind = new Map<string, Disagreement>()
  for (const { disagreements } of parts) {
    for (const one of disagreements) {
      const key = JSON.stringify([one.side, one.upstream, one.operation, one.status, one.in, one.pointer, one.message])
      const known = byKind.get(key)
      if (known === undefined) {
        byKind.set(key, { ...one })
        continue
      }
      known.count += one.count
      known.firstSeen = Math.min(known.firstSeen, one.firstSeen)
      known.lastSeen = Math.max(known.lastSeen, one.lastSeen)
    }
  }
  return {
    disagreements: [...byKind.values()].sort((a, b) => b.count - a.count),
    dropped: parts.reduce((total, { dropped }) => total + dropped, 0),
  }
}

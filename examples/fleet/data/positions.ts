import type { Position } from '../resources/telematics.ts'
import { EPOCH_MS } from './calendar.ts'

/** What a vehicle's tracker reports each second. */
export type Report = Omit<Position, 'createdAt' | 'updatedAt'>

const CENTRES = [
  [51.22, 4.4],
  [54.35, 18.65],
  [47.07, 15.44],
  [45.76, 4.84],
  [55.6, 13.0],
  [41.15, -8.61],
] as const

/**
 * Where a vehicle is in a given second since 1970: a pure function, so a stream can be resumed, an export repeated and a
 * test written. Every vehicle drives a loop of its own around a depot, and stands for a while in each.
 */
export function reportAt(vehicleId: number, second: number): Report {
  const [latitude, longitude] = CENTRES[vehicleId % CENTRES.length] ?? CENTRES[0]
  const loopSeconds = 1200 + (vehicleId % 17) * 60
  const phase = ((second + vehicleId * 37) % loopSeconds) / loopSeconds
  const driving = phase < 0.8
  const angle = (driving ? phase / 0.8 : 1) * 2 * Math.PI
  const radius = 0.02 + (vehicleId % 9) * 0.004
  return {
    id: vehicleId,
    at: new Date(second * 1000).toISOString(),
    latitude: Number((latitude + radius * Math.sin(angle)).toFixed(5)),
    longitude: Number((longitude + radius * Math.cos(angle)).toFixed(5)),
    speedKmh: driving ? 30 + Math.round(25 * Math.abs(Math.sin(angle * 3)) + (vehicleId % 7)) : 0,
    headingDegrees: Math.floor((360 - (angle * 180) / Math.PI) % 360),
    energyPercent: 15 + ((vehicleId * 13 + Math.floor((1 - phase) * 60)) % 85),
    engineOn: driving,
  }
}

/** The last reports as of the epoch: what the collection starts with. */
export function generatePositions(count: number): Position[] {
  const second = EPOCH_MS / 1000
  return Array.from({ length: count }, (_, index) => {
    const report = reportAt(index + 1, second)
    return { ...report, createdAt: report.at, updatedAt: report.at }
  })
}

import type { Entity } from './table.ts'
import { daysBefore } from './calendar.ts'

/** How many rows to make, and how many rows there are to point at. */
export interface Counts {
  rows: number
  vehicles: number
  drivers: number
  users: number
}

/** The timestamps of a row that was written once, `daysAgo`, and left alone since. */
export function stamp(daysAgo: number): Pick<Entity, 'createdAt' | 'updatedAt'> {
  const at = daysBefore(daysAgo)
  return { createdAt: at, updatedAt: at }
}

import type { Priority } from '../downstream/priority.ts'

/**
 * In the order in which they are turned away. Of one priority, those that have not shown who they are go first.
 */
export const CLASSES = [
  'low anonymous',
  'low',
  'normal anonymous',
  'normal',
  'high anonymous',
  'high',
  'critical',
] as const

/** Index of a class: a plain number on the way of a request. */
export type ClassIndex = number

export const CRITICAL: ClassIndex = CLASSES.length - 1

const FIRST: Record<Exclude<Priority, 'critical'>, ClassIndex> = { low: 0, normal: 2, high: 4 }

export function classOf(priority: Priority, isAnonymous: boolean): ClassIndex {
  if (priority === 'critical') return CRITICAL
  return isAnonymous ? FIRST[priority] : FIRST[priority] + 1
}

/** What `maxInFlight` leaves to each: 70 % to the lowest, all of it to the highest but one; critical has no bound. */
export function shareInFlight(index: ClassIndex): number {
  return index === CRITICAL ? Number.POSITIVE_INFINITY : 0.7 + (0.3 * index) / (CRITICAL - 1)
}

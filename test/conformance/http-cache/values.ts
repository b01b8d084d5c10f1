import type { Value } from './case.ts'

/** What values stand for: when the origin answered, and where the case lives. */
export interface Surroundings {
  /** Milliseconds since 1970. */
  now: number
  /** The path of the case. */
  path: string
}

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

/** A value as it goes into a field. */
export function valueOf(value: Value, { now, path }: Surroundings): string {
  if (typeof value === 'string') return value
  if ('suffix' in value) return path + value.suffix
  const date = new Date(now + value.seconds * 1000)
  const fixed = date.toUTCString()
  if (value.format === 'imf-fixdate') return fixed
  const [, day, month, year, time] = fixed.split(' ')
  return `${DAYS[date.getUTCDay()]}, ${day}-${month}-${year?.slice(2)} ${time} GMT`
}

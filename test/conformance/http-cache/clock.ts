import { setTimeout as sleep } from 'node:timers/promises'

/** What time it is for the cache and its origin, and how it passes. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  pass(ms: number): Promise<void>
}

/** The time of the day. */
export const wallClock: Clock = { now: () => Date.now(), pass: (ms) => sleep(ms) }

/**
 * A clock that stands still, and jumps instead of waiting, so that a slow machine makes nothing stale. It takes the place
 * of `Date.now` for everything in this process that begins after it.
 *
 * @returns the clock, and what gives `Date.now` back
 */
export function jumpingClock(): Clock & Disposable {
  const original = Date.now
  let now = original()
  Date.now = () => now
  return {
    now: () => now,
    pass: async (ms) => {
      now += ms
    },
    [Symbol.dispose]: () => {
      Date.now = original
    },
  }
}

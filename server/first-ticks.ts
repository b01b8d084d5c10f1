/** What was enough in every run; they take some milliseconds. */
const TICKS = 10_000

/**
 * Calls `process.nextTick` until V8 has compiled it for the one shape of call that streams make. Left to the start of the
 * gateway, its inline caches see too many, and on a single core it stays at about six times the cost for good
 * (`bench/micro/next-tick.ts`: 600 ns against 95): a request through `node:http` or `node:http2` makes six of them or more.
 */
export function compileFirstTicks(): Promise<void> {
  compiled ??= new Promise((resolve) => {
    let left = TICKS
    function tick(..._given: [number?, null?]): void {
      if (--left === 0) resolve()
      else process.nextTick(tick, left, null)
    }
    process.nextTick(tick)
  })
  return compiled
}

/** Once in a process, however many gateways start in it. */
let compiled: Promise<void> | undefined

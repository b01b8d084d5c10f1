/**
 * The gateway's clock, here in its own process: it stands still, and time passes when a test says so. So a timeout may be
 * short, and no pause of the machine uses it up. Importing this stops it, for all of a test's process.
 */
const clock = performance.now.bind(performance)
/** What it shows while it stands. */
let standsAt: number | undefined = clock()
/** How far it is ahead of the machine's while it goes. */
let aheadMs = 0
performance.now = () => standsAt ?? clock() + aheadMs

/** The gateway looks at its deadlines every twentieth of its shortest timeout (services/proxy/plan.ts). */
const LOOK_MS = 5
/** The shortest timeout of an upstream, for tests that call {@link pass}. */
export const SHORT_MS = 100
export const SHORT = `${SHORT_MS}ms`
/** More than {@link SHORT}, and less than what else could end a request (`TIMEOUTS`, 8 s). */
export const LONGER_MS = 2_000

/** Lets time pass at once, and the gateway look at its deadlines: a timer of the same length that began earlier is over. */
export async function pass(ms: number): Promise<void> {
  if (standsAt === undefined) aheadMs += ms
  else standsAt += ms
  await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
}

/** Lets time pass until there is an answer. */
export async function passUntil<T>(answer: Promise<T>): Promise<T> {
  let waiting = true
  const over = (): void => void (waiting = false)
  answer.then(over, over)
  while (waiting) await pass(LONGER_MS)
  return answer
}

/** Lets it go by itself, until {@link stopTime}: for what is slow because it takes its time. */
export function letTimeGo(): void {
  if (standsAt !== undefined) aheadMs = standsAt - clock()
  standsAt = undefined
}

export function stopTime(): void {
  standsAt = performance.now()
}

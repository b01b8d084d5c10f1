/** Time, as what looks after upstreams needs it; tests move one of their own by hand. */
export interface Clock {
  /** Milliseconds that only grow. */
  now(): number
  /** Calls back once, later, without keeping the process alive. @returns calls it off */
  after(ms: number, task: () => void): () => void
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, task) {
    const timer = setTimeout(task, ms).unref()
    return () => clearTimeout(timer)
  },
}

import closeWithGrace from 'close-with-grace'

/** How much longer than its own deadline a drain may take before the process is ended. */
const GRACE_MS = 2_000

/**
 * SIGTERM and SIGINT drain and close; a second signal, or the deadline, ends the process at once. So does an exception
 * that nobody caught, after what is in flight: the state is not to be trusted with more.
 */
export function endOnSignals(running: { close(): Promise<void> }, drainTimeoutMs: number): void {
  closeWithGrace({ delay: drainTimeoutMs + GRACE_MS, logger: console }, async ({ err }) => {
    if (err) console.error(err)
    await running.close()
  })
}

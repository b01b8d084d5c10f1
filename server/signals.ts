import { setTimeout } from 'node:timers/promises'
import { closeSync, openSync } from 'node:fs'
import closeWithGrace from 'close-with-grace'
import type { Control } from '../services/control/control.ts'
import { announce, type Outlets } from '../services/log/announce.ts'
import { farewell } from '../services/log/farewell.ts'

/** How much longer than its own deadline a drain may take before the process is ended. */
const GRACE_MS = 3_000
/** How long a process that hangs may hold up the drain of the others, to be asked what is waited for. */
const ASK_MS = 500

/** What is ended. */
export interface Endable {
  close(): Promise<void>
  closed?: Promise<void>
  /** Asked what is waited for. */
  control: Control
  log: Outlets['log']
}

/**
 * SIGTERM and SIGINT drain and close, and end the process with code 0; a second signal, or the deadline, ends it at once
 * with code 1. So does an exception that nobody caught, after what is in flight: the state is not to be trusted with more.
 * The same for one process and for a supervisor of many, whose processes end with it. What is waited for is said. SIGHUP is
 * left to {@link reloadOnHangup}: without that, the system ends the process.
 *
 * @returns takes the listeners away again
 */
export function endOnSignals(running: Endable, drainTimeoutMs: number): () => void {
  const settings = { delay: drainTimeoutMs + GRACE_MS, logger: console, skip: [...RELOADING] }
  const { uninstall } = closeWithGrace(settings, async ({ err, signal }) => {
    if (err) console.error(err)
    await sayFarewell(running, { signal, deadlineAt: Date.now() + drainTimeoutMs })
    await running.close()
    // What others do at the end: the address in dataDir is taken away.
    await running.closed
  })
  return uninstall
}

/** Windows tells by SIGHUP that the console is closed, and ends the process whatever it does. */
const RELOADING = process.platform === 'win32' ? [] : (['SIGHUP'] as const)

/**
 * SIGHUP reloads the configuration, as it does for daemons of old. Sent because the terminal is gone on which the process
 * was started, it ends it: nobody is there to end it by hand.
 */
export function reloadOnHangup(reload: () => void): void {
  const hadTerminal = hasTerminal()
  for (const signal of RELOADING) {
    process.on(signal, () => {
      if (hadTerminal && !hasTerminal()) process.kill(process.pid, 'SIGTERM')
      else reload()
    })
  }
}

/** Whether the session of this process has a terminal (tty(4)). */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return true
  } catch {
    // ENXIO, as a rule: there is none, or none any more.
    return false
  }
}

async function sayFarewell(
  { control, log }: Endable,
  { signal, deadlineAt }: { signal: string | undefined; deadlineAt: number },
): Promise<void> {
  const { stdout, stderr } = process
  // Before the drain begins: a process that has nothing to wait for is gone before it could say so.
  const open = await Promise.race([
    control.ask('open-work').then(
      ({ result }) => result,
      // No process that could say it: they end all the same.
      () => null,
    ),
    setTimeout(ASK_MS, null),
  ])
  announce(farewell({ signal, open, deadlineAt }), { log, stdout, stderr })
}

/** What every process of a run (contenders, origin, load) shares: how it reports, and that it never outlives the run. */

/** The first message of a process: where it serves, or why it cannot take part on this machine. */
export type Announcement =
  | {
      /** Base URL; null for a process that serves nothing (the load). */
      url: string | null
      /** The same over TLS with HTTP/2; null where it doesn't speak that. */
      secureUrl: string | null
      /** The processes whose CPU time counts. */
      pids: number[]
    }
  | { unavailable: string }

/** Sends a message to the run; without an IPC channel (started by hand) it is printed. */
export function tell(message: object): void {
  if (process.send) process.send(message)
  else console.log(JSON.stringify(message))
}

/** Reports readiness, and ends this process as soon as the run is gone, however that ended. */
export function announce(announcement: Announcement): void {
  process.on('disconnect', () => process.exit())
  tell(announcement)
}

/** The value of `--name` on this process's command line. @throws when it is missing */
export function argument(name: string): string {
  const value = process.argv[process.argv.indexOf(`--${name}`) + 1]
  if (!process.argv.includes(`--${name}`) || value === undefined) throw new TypeError(`--${name} is needed`)
  return value
}

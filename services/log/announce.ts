import { takesColour } from './banner.ts'

/** What a process has to say to whoever has started it. */
export interface Announcement {
  /** For people, lines that end in a line feed. Empty: nothing that they need to be told. */
  text: (colour: boolean) => string
  /** The same as a line of the log. */
  message: string
  fields: object
}

/** Where it can be said. */
export interface Outlets {
  log: { info(fields: object, message: string): void; flush(): void }
  /** Where the log goes. */
  stdout: { isTTY?: boolean }
  stderr: NodeJS.WritableStream & { isTTY?: boolean }
}

/**
 * On a terminal as text on standard error; elsewhere, in a container say, as a line of the log among its others, so that
 * who collects them can read it, and nothing where the log is silent. Both, where one of the two streams is a terminal.
 */
export function announce({ text, message, fields }: Announcement, { log, stdout, stderr }: Outlets): void {
  if (stderr.isTTY === true) stderr.write(text(takesColour(stderr)))
  if (stderr.isTTY === true && stdout.isTTY === true) return
  log.info(fields, message)
  // Who waits for it to go on, waits now.
  log.flush()
}

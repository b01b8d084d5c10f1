import type { Readable, Writable } from 'node:stream'
import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

/** Where a command reads and writes: everything it takes from the process, so that a test can give it something else. */
export interface Surroundings {
  cwd: string
  variables: Readonly<Record<string, string | undefined>>
  /** What is piped in; default: the process's. */
  stdin?: Readable
  stdout: Writable & { isTTY?: boolean }
  stderr: Writable & { isTTY?: boolean }
}

/** Text for people; colours where the stream is a terminal that takes them (NO_COLOR and its like are honoured). */
export type Paint = (style: Style, text: string) => string

export function painter(stream: Surroundings['stdout']): Paint {
  if (stream.isTTY !== true) return (_style, text) => text
  return (style, text) => styleText(style, text, { stream: stream as NodeJS.WriteStream })
}

import { styleText } from 'node:util'
import type { Announcement } from './announce.ts'

/** What a gateway that has been told to end waits for. */
export interface Farewell {
  /** The signal; `undefined` where it ends for another reason. */
  signal: string | undefined
  /** What is open; `null` where nobody could say. */
  open: { requests: number; connections: number } | null
  /** When it ends at the latest: milliseconds since 1970. */
  deadlineAt: number
}

type Style = Parameters<typeof styleText>[0]

/** Says what is waited for, until when, and how not to. */
export function farewell({ signal, open, deadlineAt }: Farewell): Announcement {
  const until = new Date(deadlineAt)
  return {
    message: 'Draining',
    fields: { ...(signal !== undefined && { signal }), ...open, until: until.toISOString() },
    text(colour) {
      if (open === null || open.connections === 0) return ''
      const paint = (style: Style, text: string): string =>
        colour ? styleText(style, text, { validateStream: false }) : text
      const { requests, connections } = open
      // A client that may be about to send its next request is left a moment to do so.
      const what = requests > 0 ? count(requests, 'request in flight', 'requests in flight') : idle(connections)
      const hint = `${signal === 'SIGINT' ? 'Ctrl-C again ends' : 'Ctrl-C ends'} it now`
      return `\n  ${paint('yellow', 'drain')}  ${what}, until ${until.toTimeString().slice(0, 8)} at the latest  ${paint('dim', hint)}\n\n`
    },
  }
}

const idle = (connections: number): string => count(connections, 'idle connection', 'idle connections')

const count = (number: number, one: string, many: string): string => `${number} ${number === 1 ? one : many}`

import type { IncomingMessage, ServerResponse } from 'node:http'
import helmet, { type HelmetOptions } from 'helmet'
import { SecurityHeadersError } from './errors.ts'
import type { SecurityHeadersOptions } from './options.ts'

/** What helmet does to an answer. */
export interface SecurityFields {
  /** Names in lower case: name, value, name, value. */
  fields: string[]
  /** Names that it takes out. */
  removed: string[]
}

/**
 * What helmet writes for these options: the same for every answer, so that it is asked once.
 *
 * @throws HR_SECURITY_HEADERS_INVALID for what helmet refuses, such as a directive without a name
 */
export function compileSecurityHeaders(options: SecurityHeadersOptions): SecurityFields {
  const told: SecurityFields = { fields: [], removed: [] }
  const response = {
    setHeader: (name: string, value: string) => void told.fields.push(name.toLowerCase(), value),
    removeHeader: (name: string) => void told.removed.push(name.toLowerCase()),
  }
  try {
    const write = helmet(options as HelmetOptions)
    write({} as IncomingMessage, response as unknown as ServerResponse, (error) => {
      if (error instanceof Error) throw error
    })
  } catch (cause) {
    throw new SecurityHeadersError((cause as Error).message, { cause })
  }
  return told
}

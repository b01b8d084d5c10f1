import { HOP_BY_HOP_FIELDS } from '../http/connection-fields.ts'
import { isToken } from '../options/token.ts'

/** What the gateway writes by what it sends, or what belongs to one connection (RFC 9110 §7.6.1). */
const OF_CONNECTIONS = [
  ...HOP_BY_HOP_FIELDS,
  'content-length',
  'expect',
  'host',
  'proxy-authenticate',
  'proxy-authorization',
  'via',
  'x-request-id',
]
const OF_REQUESTS = new Set([
  ...OF_CONNECTIONS,
  'content-encoding',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-proto',
  'x-forwarded-scheme',
  'x-forwarded-server',
  'x-real-ip',
])
const OF_RESPONSES = new Set([...OF_CONNECTIONS, 'age', 'cache-status', 'content-encoding', 'content-range', 'date'])

/** @returns why a field of this name cannot be written or taken away; `undefined` where it can */
export function refusedName(name: string, side: 'request' | 'response'): string | undefined {
  if (!isToken(name)) return `'${name}' is no name of a field`
  const refused = side === 'request' ? OF_REQUESTS : OF_RESPONSES
  return refused.has(name.toLowerCase()) ? `${name} is written by the gateway itself, by what it sends` : undefined
}

/** RFC 9110 §5.5: what can end a field, or begin another, is in no value; nor is a blank at its ends. */
const BLANKS = /^[\t ]+|[\t ]+$/g
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/** The value as it can be sent; `undefined` where it cannot. */
export function sendableValue(text: string): string | undefined {
  return VALUE.test(text) ? text.replace(BLANKS, '') : undefined
}

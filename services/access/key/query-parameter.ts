import type { Exchange } from '../../downstream/exchange.ts'
import { SEVERAL } from '../credentials.ts'

/**
 * Takes a parameter off the query of a request: it is in no cache key, no log, and goes no further. What else is in the query
 * stays as it was sent.
 *
 * @returns its value, decoded; {@link SEVERAL} where it stands there more than once
 */
export function takeParameter(exchange: Exchange, name: string): string | typeof SEVERAL | undefined {
  const [part, another] = exchange.query
    .slice(1)
    .split('&')
    .filter((one) => nameOf(one) === name)
  if (part === undefined) return undefined
  exchange.query = withoutParameter(exchange.query, name)
  if (another !== undefined) return SEVERAL
  const equals = part.indexOf('=')
  return equals === -1 ? '' : decoded(part.slice(equals + 1))
}

/** A query without a parameter, or as it is where that does not stand there. */
export function withoutParameter(query: string, name: string): string {
  const others = query
    .slice(1)
    .split('&')
    .filter((part) => nameOf(part) !== name)
  return others.length === 0 ? '' : `?${others.join('&')}`
}

function nameOf(part: string): string {
  const equals = part.indexOf('=')
  return decoded(equals === -1 ? part : part.slice(0, equals))
}

function decoded(text: string): string {
  if (!/[%+]/.test(text)) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    // Not UTF-8, or no escape: nothing that was given out looks like that.
    return text
  }
}

import { requestFieldValue } from '../cache/rules/message.ts'
import type { Exchange } from '../downstream/exchange.ts'
import { decodedParameterName } from '../http/query-text.ts'
import type { OperationRules } from './operation-rules.ts'
import type { Pairs, Raw } from './written-value.ts'

/** Where the parameters of a request are, undecoded. @param path that its upstream is sent */
export function rawOf({ fields, query }: Exchange, path: string, { pattern, names }: OperationRules): Raw {
  return {
    path: pathParameters(path, pattern, names),
    query: query.length > 1 ? queryPairs(query.slice(1)) : [],
    cookie: fields.cookie === undefined ? [] : cookiePairs(fields.cookie),
    header: (name) => requestFieldValue(fields.kept, name),
  }
}

function pathParameters(path: string, pattern: RegExp, names: readonly string[]): Map<string, string> {
  const found = new Map<string, string>()
  if (names.length === 0) return found
  const groups = pattern.exec(path)
  names.forEach((name, index) => {
    const value = groups?.[index + 1]
    if (value !== undefined) found.set(name, value)
  })
  return found
}

/** Names without their escapes, values as they came. */
export function queryPairs(query: string): Pairs {
  return query.split('&').flatMap((piece) => {
    if (piece === '') return []
    const at = piece.indexOf('=')
    const name = at === -1 ? piece : piece.slice(0, at)
    return [[decodedParameterName(name), at === -1 ? '' : piece.slice(at + 1)] as const]
  })
}

/** RFC 6265 §5.4. */
function cookiePairs(cookie: string): Pairs {
  return cookie.split(';').flatMap((piece) => {
    const at = piece.indexOf('=')
    return at === -1 ? [] : [[piece.slice(0, at).trim(), piece.slice(at + 1).trim()] as const]
  })
}

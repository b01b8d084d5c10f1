import { TOKEN } from '../../options/token.ts'
import { cookieOf } from './cookie.ts'
import type { BalancedRequest } from './balancer.ts'

/** Text of a request that goes to one target; `undefined` where the request has none. */
export type HashKey = (request: BalancedRequest) => string | undefined

/** How a key is written: where to look, and a name where one belongs. */
export const HASH_KEY_PATTERN = `^((header|cookie):${TOKEN}|path|client)$`

/** @param key as {@link HASH_KEY_PATTERN} has it. A consumer, once requests have one, becomes another word of it. */
export function hashKey(key: string): HashKey {
  const [kind, name = ''] = key.split(':')
  switch (kind) {
    case 'path':
      return ({ path }) => path
    case 'client':
      return ({ clientAddress }) => clientAddress
    case 'cookie':
      return ({ fields }) => cookieOf(fields.cookie, name)
    default:
      return headerKey(name.toLowerCase())
  }
}

function headerKey(wanted: string): HashKey {
  return ({ fields: { kept } }) => {
    for (let i = 0; i < kept.length; i += 2) {
      const name = kept[i] as string
      if (name.length === wanted.length && name.toLowerCase() === wanted) return kept[i + 1]
    }
    return undefined
  }
}

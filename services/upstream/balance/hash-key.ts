import { cookieOf } from '../../http/cookie.ts'
import { fieldOf } from '../../http/request-fields.ts'
import { TOKEN } from '../../options/token.ts'
import type { BalancedRequest } from './balancer.ts'

/** Text of a request that goes to one target; `undefined` where the request has none. */
export type HashKey = (request: BalancedRequest) => string | undefined

/** How a key is written: where to look, and a name where one belongs. */
export const HASH_KEY_PATTERN = `^((header|cookie):${TOKEN}|path|client|consumer)$`

/** @param key as {@link HASH_KEY_PATTERN} has it */
export function hashKey(key: string): HashKey {
  const [kind, name = ''] = key.split(':')
  switch (kind) {
    case 'path':
      return ({ path }) => path
    case 'client':
      return ({ clientAddress }) => clientAddress
    case 'consumer':
      // As limits do: those who have not shown who they are, are told apart by where they call from.
      return ({ identity, clientAddress }) => identity?.id ?? clientAddress
    case 'cookie':
      return ({ fields }) => cookieOf(fields.cookie, name)
    default: {
      const field = name.toLowerCase()
      return ({ fields }) => fieldOf(fields.kept, field)
    }
  }
}

import { resolveConfig } from '../../../config/resolve.ts'
import { Access, type AccessParts } from '../../../services/access/access.ts'
import { type MadeKey, makeKey } from '../../../services/access/key/api-key.ts'
import { Exchange } from '../../../services/downstream/exchange.ts'
import { Peer } from '../../../services/downstream/peer.ts'
import type { Gate } from '../../../services/gate/gate.ts'
import { readRequestFields } from '../../../services/http/request-fields.ts'

/** A log that nobody reads. */
export const QUIET = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** A key, and a consumer's entry for it. */
export function keyFor(): MadeKey & { entry: { id: string; hash: string } } {
  const made = makeKey()
  return { ...made, entry: { id: made.id, hash: made.hash } }
}

/** Access by a configuration with one route, and the gates of that route. */
export function accessOf(
  access: Record<string, unknown>,
  route: unknown,
  parts: Partial<AccessParts> = {},
): { access: Access; gates: Gate[] } {
  const config = resolveConfig({
    upstreams: { origin: { targets: ['http://127.0.0.1:1'] } },
    routes: { '/*': { to: 'origin', access: route } },
    access,
  })
  const made = new Access(config.access, config.routes, { log: QUIET, ...parts })
  const gates = config.routes.flatMap((one) => made.makers.map((make) => make(one)))
  return { access: made, gates: gates.filter((gate) => gate !== null) }
}

export interface Asking {
  method?: string
  fields?: string[]
  query?: string
  address?: string
  /** Of a connection that was there before. */
  peer?: Peer
}

export function connected(address = '127.0.0.1'): Peer {
  return new Peer({ remoteAddress: address }, { includes: () => false } as never)
}

/** An exchange as admission leaves it. */
export function asking({
  method = 'GET',
  fields = [],
  query = '',
  address = '127.0.0.1',
  peer = connected(address),
}: Asking = {}): Exchange {
  const exchange = new Exchange({
    protocol: '1.1',
    method,
    target: `/${query}`,
    fields: readRequestFields(fields),
    body: null,
    peer,
  })
  exchange.clientAddress = address
  exchange.path = '/'
  exchange.query = query
  exchange.authority = 'api.test'
  return exchange
}

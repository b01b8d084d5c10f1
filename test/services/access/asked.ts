import { CollectedReply } from '../../../services/downstream/collected-reply.ts'
import { Exchange } from '../../../services/downstream/exchange.ts'
import { Peer } from '../../../services/downstream/peer.ts'
import { readRequestFields } from '../../../services/http/request-fields.ts'

/** A request, as a gate sees it, and what is answered in place of the route. */
export function asked(
  fields: Record<string, string | string[]> = {},
  { method = 'GET', path = '/', query = '' }: { method?: string; path?: string; query?: string } = {},
): { exchange: Exchange; reply: CollectedReply } {
  const peer = new Peer({ remoteAddress: '203.0.113.7', encrypted: true }, { includes: () => false } as never)
  const raw = Object.entries(fields).flatMap(([name, values]) => [values].flat().flatMap((value) => [name, value]))
  const exchange = new Exchange({
    protocol: '1.1',
    method,
    target: path + query,
    fields: readRequestFields(raw),
    body: null,
    peer,
  })
  const reply = new CollectedReply()
  const authority = 'app.test'
  Object.assign(exchange, { reply, path, query, authority, scheme: 'https', clientAddress: '203.0.113.7' })
  return { exchange, reply }
}

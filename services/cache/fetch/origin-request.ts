import { streamOf } from '../../downstream/content.ts'
import { Exchange } from '../../downstream/exchange.ts'
import type { Reply } from '../../downstream/reply.ts'
import { FieldNames, foldedName } from '../../http/field-names.ts'
import type { RequestFields } from '../../http/request-fields.ts'

/** By which some frameworks answer another request than the one that was sent: of another method, URL, host or scheme. */
const OVERRIDES = [
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-url',
  'x-original-uri',
  'x-rewrite-url',
  'x-host',
  'x-original-host',
  'x-forwarded-ssl',
  'x-forwarded-uri',
  'x-forwarded-method',
  'x-forwarded-path',
  'x-forwarded-protocol',
  'x-url-scheme',
  'front-end-https',
]
const overrides: ReadonlySet<string> = new Set(OVERRIDES)
const shapes = new FieldNames(OVERRIDES)

/**
 * Fields of a request whose answer others may get: without those that are in no key and could make another answer of it.
 *
 * @param keyed request fields that are in the key, in lower case
 */
export function withoutOverrides(kept: readonly string[], keyed: readonly string[]): readonly string[] {
  const isOne = (name: string): boolean => {
    if (!shapes.mayHave(name)) return false
    const lower = name.toLowerCase()
    return overrides.has(foldedName(lower)) && !keyed.includes(lower)
  }
  if (!kept.some((name, index) => index % 2 === 0 && isOne(name))) return kept
  return kept.filter((_, index) => !isOne(kept[index - (index % 2)] as string))
}

/**
 * The gateway's own request to the origin: a client's, less what concerns that client's connection and what it has
 * already. A HEAD becomes a GET: its answer would refresh nothing. It has a body where the cache has read the client's; its
 * answer goes to `reply`, and it lives on when the client leaves.
 *
 * @param kept end-to-end fields to send: name, value, name, value
 */
export function originRequest<Plan>(client: Exchange<Plan>, kept: string[], reply: Reply): Exchange<Plan> {
  const { content, peer, clientAddress } = client
  const request = new Exchange<Plan>({
    protocol: client.protocol,
    method: client.method === 'HEAD' ? 'GET' : client.method,
    target: client.target,
    fields: Object.assign(Object.create(Object.getPrototypeOf(client.fields)) as RequestFields, client.fields, {
      kept,
      contentLength: content === undefined ? undefined : String(content.bytes.length),
      expect: undefined,
      // Nobody is promised trailers: they are not stored.
      trailers: false,
    }),
    body: content === undefined ? null : streamOf(content.bytes),
    peer,
  })
  request.reply = reply
  request.requestId = client.requestId
  request.scheme = client.scheme
  request.authority = client.authority
  request.host = client.host
  request.path = client.path
  request.query = client.query
  request.clientAddress = clientAddress
  if (client.told !== undefined) {
    // Of what proxies before the gateway say, the host is in the key and the address is checked; the rest of the chain is
    // any text, which must not shape an answer that others get.
    const chain = clientAddress === peer.address ? '' : clientAddress
    request.told = { family: 'x-forwarded', chain, host: client.told.host }
  }
  request.plan = client.plan
  request.identity = client.identity
  request.parameters = client.parameters
  return request
}

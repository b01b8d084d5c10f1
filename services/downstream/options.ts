import type { Static } from 'typebox'
import { OneOf } from '../options/schema.ts'
import { Type } from '../options/type.ts'

/** What is believed of a client's forwarding fields, and what is told to upstreams. */
export const forwardedSchema = Type.Object(
  {
    trust: Type.Array(Type.String(), {
      default: [],
      description:
        "Proxies whose Forwarded, X-Forwarded-* and X-Request-Id are believed: addresses, CIDR blocks, or 'loopback', 'private'",
    }),
    read: OneOf(['either', 'forwarded', 'x-forwarded'], {
      default: 'either',
      description:
        "Which fields of trusted proxies say who the client is: Forwarded (RFC 7239), X-Forwarded-*, or 'either': X-Forwarded-* where any of them is there, else Forwarded. Never both: name what your proxies write, for they may pass the other on as a client wrote it. Malformed elements, and what stands before them, are not read",
    }),
    send: OneOf(['both', 'forwarded', 'x-forwarded'], {
      default: 'both',
      description:
        'Fields that upstreams get: Forwarded (RFC 7239), X-Forwarded-*, or both. A chain of proxies goes on in the fields it was read from; the others name the client and the last proxy. A client that names no host (HTTP/1.0) leaves the host out of them',
    }),
    via: Type.String({ default: 'headrace', description: "The gateway's name in Via (RFC 9110 §7.6.3)" }),
  },
  { additionalProperties: false, default: {}, description: 'Forwarding fields' },
)

export type ForwardedInput = Static<typeof forwardedSchema>
export type ForwardedOptions = ForwardedInput

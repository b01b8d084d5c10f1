import { Type, type Static } from 'typebox'
import { OneOf } from '../options/schema.ts'

/** What is believed of a client's forwarding fields, and what is told to upstreams. */
export const forwardedSchema = Type.Object(
  {
    trust: Type.Array(Type.String(), {
      default: [],
      description:
        "Proxies whose Forwarded, X-Forwarded-* and X-Request-Id are believed: addresses, CIDR blocks, or 'loopback', 'private'",
    }),
    send: OneOf(['both', 'forwarded', 'x-forwarded'], {
      default: 'both',
      description: 'Fields that upstreams get: Forwarded (RFC 7239), X-Forwarded-*, or both',
    }),
    via: Type.String({ default: 'headrace', description: "The gateway's name in Via (RFC 9110 §7.6.3)" }),
  },
  { additionalProperties: false, default: {}, description: 'Forwarding fields' },
)

export type ForwardedInput = Static<typeof forwardedSchema>
export type ForwardedOptions = ForwardedInput

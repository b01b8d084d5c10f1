import type { Static } from 'typebox'
import { bytes, Size } from '../options/schema.ts'
import { Type } from '../options/type.ts'

const MOST_CONNECTIONS = 1_000_000

/** `websocket` of a route. */
export const webSocketSchema = Type.Object(
  {
    origins: Type.Array(Type.String({ description: "An Origin, such as 'https://app.example.com', or '*' for any" }), {
      default: [],
      description: 'Pages that may connect besides those of the same host; clients that send no Origin always may',
      examples: [['https://app.example.com']],
    }),
    maxMessage: Size({
      default: '16MiB',
      description:
        'Bytes of one message, in all its frames and as they are sent: compressed, where both ends agreed on it; more ends it with 1009',
    }),
    connections: Type.Integer({
      default: 10_000,
      minimum: 1,
      maximum: MOST_CONNECTIONS,
      description: 'Open at a time, in a process; more get 503',
    }),
  },
  { additionalProperties: false, default: {} },
)

export type WebSocketInput = Static<typeof webSocketSchema>

export interface WebSocketOptions {
  origins: string[]
  maxMessageBytes: number
  connections: number
}

const DEFAULTS: WebSocketInput = { origins: [], maxMessage: '16MiB', connections: 10_000 }

/** @returns `null` where upgrades are refused */
export function resolveWebSocket(input: WebSocketInput | boolean): WebSocketOptions | null {
  if (input === false) return null
  const { origins, maxMessage, connections } = input === true ? DEFAULTS : input
  return {
    origins: origins.map((origin) => origin.toLowerCase()),
    maxMessageBytes: bytes(maxMessage),
    connections,
  }
}

import type { IncomingMessage } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import type { Readable } from 'node:stream'
import { BodyRate } from './body-rate.ts'
import { connectionOf, type Connections } from './connections.ts'
import type { ListenerCounters } from './counters.ts'
import { BodyTooSlowError } from './errors.ts'
import { answerStream } from './http2.ts'
import type { Http2Sessions } from './http2-sessions.ts'
import { closingAnswer, endWith } from './malformed.ts'

export interface SlowBodiesOptions {
  connections: Connections
  sessions: Http2Sessions
  counters: ListenerCounters
  minBytesPerSecond: number
  windowMs: number
}

/**
 * Cuts the request bodies of a listener that come too slowly: 408 where no answer has begun, else the end of the
 * connection (HTTP/1) or stream (HTTP/2). Call the function that it returns about once a second.
 */
export function createSlowBodyCheck(options: SlowBodiesOptions): (now: number) => void {
  const { connections, sessions, counters, minBytesPerSecond, windowMs } = options
  const rate = new BodyRate({ minBytesPerSecond, windowMs })
  const error = new BodyTooSlowError(minBytesPerSecond)

  function* bodies(): Generator<Readable> {
    for (const { request } of connections) if (request !== null && !request.complete) yield request
    for (const state of sessions) yield* state.bodies
  }

  function cut(body: Readable): void {
    counters.slowBodies++
    if ('session' in body) {
      const stream = body as ServerHttp2Stream
      if (stream.headersSent) stream.destroy()
      else answerStream(stream, error)
      return
    }
    const { socket } = body as IncomingMessage
    const connection = connectionOf(socket)
    // With a response before it on the way, an answer now would be taken for that one.
    if (connection?.active === 1 && connection.response?.headersSent === false) endWith(socket, closingAnswer(error))
    else socket.destroy()
  }

  return (now) => {
    for (const body of rate.tick(bodies(), now)) cut(body)
  }
}

import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { reportAt } from '../data/positions.ts'
import { problems } from '../http/problem.ts'
import type { PositionFeed } from './position-feed.ts'

/** A client that was away gets at most so many seconds again. */
const REPLAY_SECONDS = 60
/** A comment every so many ticks: it holds the connection open where nobody drives. */
const HEARTBEAT_TICKS = 5
const MAX_STREAMS = 1000

/**
 * `GET /telematics/stream`: server-sent events, one a second, with the reports of the vehicles that drive. The id is the
 * second: `Last-Event-ID` resumes. A client that does not keep up misses seconds; none are piled up for it.
 */
export function registerPositionStream(app: FastifyInstance, feed: PositionFeed): void {
  const open = new Set<PositionEvents>()
  const schema = {
    operationId: 'streamPositions',
    summary: 'Live positions (server-sent events)',
    tags: ['telematics'],
    querystring: Type.Object({
      vehicles: Type.String({
        pattern: '^\\d{1,6}(,\\d{1,6}){0,19}$',
        default: '1,2,3,4,5',
        description: 'Up to 20 ids, with commas',
      }),
    }),
    response: {
      200: { description: 'positions events', content: { 'text/event-stream': { schema: Type.String() } } },
      ...problems(400),
    },
  }
  app.get<{ Querystring: { vehicles: string } }>('/telematics/stream', { schema }, async (request, reply) => {
    // The oldest makes room: its client comes back by itself.
    if (open.size >= MAX_STREAMS) open.values().next().value?.destroy()
    const lastId = Number(request.headers['last-event-id'])
    const ids = request.query.vehicles.split(',').map(Number)
    const stream = new PositionEvents(feed, ids, Number.isSafeInteger(lastId) ? lastId : undefined)
    open.add(stream)
    stream.once('close', () => open.delete(stream))
    return reply
      .type('text/event-stream')
      .header('cache-control', 'no-store')
      .header('x-accel-buffering', 'no')
      .send(stream)
  })

  app.addHook('preClose', async () => {
    for (const stream of open) stream.finish()
  })
}

/** The event stream of one client. Fastify destroys it when the client leaves, which ends the subscription. */
class PositionEvents extends Readable {
  readonly #unsubscribe: () => void
  #room = true
  #ticks = 0

  constructor(feed: PositionFeed, ids: readonly number[], lastId: number | undefined) {
    super({ highWaterMark: 16 * 1024 })
    this.push('retry: 2000\n\n')
    if (lastId !== undefined) {
      for (let s = Math.max(lastId + 1, feed.second - REPLAY_SECONDS); s <= feed.second; s++) this.push(eventOf(ids, s))
    }
    this.#unsubscribe = feed.subscribe((second) => {
      if (!this.#room) return
      const heartbeat = ++this.#ticks % HEARTBEAT_TICKS === 0 ? ': heartbeat\n\n' : ''
      this.#room = this.push(heartbeat + eventOf(ids, second))
    })
  }

  /** Lets the client have what was written, and ends. */
  finish(): void {
    this.#unsubscribe()
    this.push(null)
  }

  override _read(): void {
    this.#room = true
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#unsubscribe()
    done(error)
  }
}

function eventOf(ids: readonly number[], second: number): string {
  const driving = ids.map((id) => reportAt(id, second)).filter((report) => report.engineOn)
  return driving.length === 0 ? '' : `id: ${second}\nevent: positions\ndata: ${JSON.stringify(driving)}\n\n`
}

import fc from 'fast-check'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { test } from 'tap'
import { Connections } from '../../../services/listener/connections.ts'
import { createListenerCounters } from '../../../services/listener/counters.ts'
import { createDrainState } from '../../../services/listener/drain.ts'
import { createHttp1Server } from '../../../services/listener/http1.ts'
import { createSocketHeads } from '../../../services/listener/socket-heads.ts'
import { limits } from './start.ts'

/** A connection of which the test decides what comes in one read. */
class Wire extends Duplex {
  written = ''
  /** The client takes nothing: what is written waits. */
  stuck = false
  #waiting: (() => void)[] = []

  constructor() {
    super({ decodeStrings: true, writableHighWaterMark: 64 })
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written += chunk.toString('latin1')
    if (this.stuck) this.#waiting.push(done)
    else done()
  }

  catchUp(): void {
    this.stuck = false
    for (const done of this.#waiting.splice(0)) done()
  }
}

const answer = (text: string): string => `HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text}`

/** Answers `method target body` to each request: at once below /hit, by node:http elsewhere. */
function start() {
  const counters = createListenerCounters()
  const drain = createDrainState()
  const connections = new Connections({ limit: 10, open: 0 }, counters)
  const seen = { atOnce: 0, parsed: 0 }
  const handlers = {
    head({ method, target }: { method: string; target: string }, socket: Socket): boolean {
      if (!target.startsWith('/hit')) return false
      seen.atOnce++
      socket.write(answer(`${method} ${target} `), 'latin1')
      return true
    },
    request(request: IncomingMessage, response: ServerResponse): boolean {
      seen.parsed++
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')))
      const end = (): void => {
        const text = `${request.method} ${request.url} ${body}`
        response.writeHead(200, { 'content-length': text.length })
        response.end(text, 'latin1')
      }
      // One without a body has ended already (optimizeEmptyRequests).
      if (request.method === 'GET' || request.url === '/early') end()
      else request.on('end', end)
      return true
    },
    stream: () => false,
    fallback: () => undefined,
    broke: () => false,
  }
  const context = { limits: limits({}), handlers, counters, drain, now: () => 0 }
  const http1 = createHttp1Server(context)
  const read = createSocketHeads({ ...context, http1 })
  const connect = (): Wire => {
    const wire = new Wire()
    wire.once('close', () => http1.close())
    read(connections.track(wire as unknown as Socket, 0))
    return wire
  }
  return { connect, seen, counters, drain, handlers }
}

/** Until nothing more comes of what was pushed: node:http and streams take a few turns. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 6; turn++) await setImmediate()
}

const get = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`
/** What stands in it is never a request, whatever it looks like. */
const INNER = get('/hit/inside')

const message = fc.oneof(
  fc.nat(9).map((n) => ({ text: get(`/hit/${n}`), says: `GET /hit/${n} ` })),
  fc.nat(9).map((n) => ({ text: get(`/miss/${n}`), says: `GET /miss/${n} ` })),
  fc.constantFrom('', 'x', INNER, `x${INNER}`, `${INNER}x`, '\r\n\r\n').map((body) => ({
    text: `POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    says: `POST /p ${body}`,
  })),
  fc.constantFrom('x', INNER, '\r\n\r\n').map((body) => ({
    text: `POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    says: `POST /p ${body}`,
  })),
  fc.constantFrom('a: b', 'x', '').map((text) => ({
    text: `GET /hit/value HTTP/1.1\r\nHost: a\r\nX-A: ${text}\r\n\r\n`,
    says: 'GET /hit/value ',
  })),
)

/** Where it is cut: at the ends of messages, as clients do, and anywhere else. */
const cuts = fc.tuple(fc.boolean(), fc.array(fc.nat(), { maxLength: 5 }))

function cut(messages: readonly { text: string }[], [atEnds, elsewhere]: [boolean, number[]]): string[] {
  const text = messages.map((one) => one.text).join('')
  const points = new Set([0, text.length, ...elsewhere.map((at) => at % text.length)])
  let end = 0
  if (atEnds) for (const one of messages) points.add((end += one.text.length))
  const sorted = [...points].sort((a, b) => a - b)
  return sorted.slice(1).map((to, i) => text.slice(sorted[i], to))
}

void test('whatever comes in one read, each request is answered once, in order, as what it is', async (t) => {
  const all = { atOnce: 0, parsed: 0 }
  const messages = fc.array(message, { minLength: 1, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(messages, cuts, fc.boolean(), async (sent, at, waits) => {
      const { connect, seen } = start()
      const wire = connect()
      for (const chunk of cut(sent, at)) {
        wire.push(Buffer.from(chunk, 'latin1'))
        // Else each read comes before the answers to the one before it.
        await (waits ? settle() : setImmediate())
      }
      await settle()
      wire.destroy()
      all.atOnce += seen.atOnce
      all.parsed += seen.parsed
      const bodies = wire.written.split(/HTTP\/1\.1 200 OK\r\n[^]*?\r\n\r\n/).slice(1)
      return JSON.stringify(bodies) === JSON.stringify(sent.map((one) => one.says))
    }),
    { numRuns: 600 },
  )
  // Some 240 and 1,800, by chance.
  t.ok(all.atOnce > 50 && all.parsed > 200, 'both ways were taken', all)
})

void test('a connection goes to and fro between the ways', async (t) => {
  const { connect, seen, counters } = start()
  const wire = connect()
  for (const target of ['/hit', '/miss', '/hit', '/hit', '/miss', '/hit']) {
    wire.push(get(target))
    await settle()
  }
  t.same(seen, { atOnce: 4, parsed: 2 })
  t.equal(counters.requests, 6)
  wire.destroy()
})

void test('the beginning of a head is continued by what comes, not answered', async (t) => {
  const { connect, seen } = start()
  const wire = connect()
  wire.push('POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nX-A: ')
  await settle()
  wire.push(get('/hit'))
  await settle()
  t.same(seen.atOnce, 0)
  t.match(wire.written, /POST \/p $/)
  wire.destroy()
})

void test('a body that goes on after its answer stays a body', async (t) => {
  const { connect, seen } = start()
  const wire = connect()
  wire.push(`POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: ${INNER.length}\r\n\r\n`)
  await settle()
  t.match(wire.written, /POST \/early $/)
  wire.push(INNER)
  await settle()
  t.equal(seen.atOnce, 0)
  wire.push(get('/hit'))
  await settle()
  t.equal(seen.atOnce, 1)
  wire.destroy()
})

void test('while draining every answer says that the connection closes: none is given at once', async (t) => {
  const { connect, seen, drain } = start()
  const wire = connect()
  wire.push(get('/hit'))
  await settle()
  drain.draining = true
  wire.push(get('/hit'))
  await settle()
  t.same(seen, { atOnce: 1, parsed: 1 })
  t.match(wire.written, /connection: close/i)
  t.ok(wire.writableEnded)
})

void test('a client that reads nothing is read no further', async (t) => {
  const { connect, seen } = start()
  const wire = connect()
  wire.stuck = true
  for (let i = 0; i < 10; i++) {
    wire.push(get('/hit/of/a/certain/length'))
    await settle()
  }
  t.ok(wire.isPaused())
  t.ok(seen.atOnce < 3, String(seen.atOnce))
  wire.catchUp()
  await settle()
  t.notOk(wire.isPaused())
  t.equal(seen.atOnce + seen.parsed, 10, 'and on, once it does')
  wire.destroy()
})

void test('what is not HTTP, and an upgrade, are refused as ever, and nothing after them is answered', async (t) => {
  for (const first of ['\x16\x03\x01 not HTTP\r\n\r\n', 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n']) {
    const { connect, seen } = start()
    const wire = connect()
    wire.push(get('/hit'))
    await settle()
    wire.push(first)
    await settle()
    wire.push(get('/hit'))
    await settle()
    t.equal(seen.atOnce, 1)
    t.match(wire.written, /HTTP\/1\.1 (400|405) [^]*connection: close/)
    t.equal(wire.written.match(/HTTP\/1\.1 \d/g)?.length, 2)
    wire.destroy()
  }
})

void test('a client that has said its last word gets its answer, and the end', async (t) => {
  const { connect } = start()
  const wire = connect()
  wire.push(get('/hit'))
  wire.push(null)
  await settle()
  t.match(wire.written, /GET \/hit $/)
  t.ok(wire.writableEnded)
})

void test('where nothing is ever answered at once, node:http has the connection from the beginning', async (t) => {
  const { connect, seen, handlers } = start()
  handlers.head = null as never
  const wire = connect()
  wire.push(get('/hit'))
  await settle()
  t.same(seen, { atOnce: 0, parsed: 1 })
  wire.destroy()
})

/**
 * A process that asks at a rate, whatever becomes of it: clients that wait for no other's answer, each on a connection that is
 * kept. What no connection is free for when it is due is sent as soon as one is, and is late by then.
 */
import { connect, type Socket } from 'node:net'
import { announce, tell } from '../peers/peer.ts'

const HOST = '127.0.0.1'
const TICK_MS = 2
const port = Number(process.argv[2])
const path = process.argv[3] ?? '/'
const REQUEST = `GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`

/** What is asked for: so many requests a second for so long, 0: each as soon as there is a connection for it; an answer within `goodMs` of when it was due is a good one. */
export interface Order {
  perSecond: number
  forMs: number
  connections: number
  goodMs: number
}

export interface Outcome {
  sent: number
  /** 200 within the time. */
  good: number
  served: number
  refused: number
  /** Anything else, and what was not answered at all. */
  other: number
  servedP50Ms: number
  servedP99Ms: number
}

class Connection {
  #socket: Socket | null = null
  #head = ''
  #status = 0
  #missing = 0
  #dueAt = 0
  busy = false
  readonly #done: (connection: Connection, status: number, ms: number) => void

  constructor(done: (connection: Connection, status: number, ms: number) => void) {
    this.#done = done
  }

  send(dueAt: number): void {
    this.busy = true
    this.#dueAt = dueAt
    this.#socket ??= this.#open()
    this.#socket.write(REQUEST)
  }

  end(): void {
    this.#socket?.destroy()
  }

  #open(): Socket {
    const socket = connect({ port, host: HOST, noDelay: true })
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('error', () => undefined) // 'close' follows
    socket.on('close', () => {
      this.#socket = null
      if (this.busy) this.#settle(0)
    })
    return socket
  }

  #receive(chunk: Buffer): void {
    if (this.#missing > 0) {
      this.#missing -= chunk.length
      if (this.#missing <= 0) this.#settle(this.#status)
      return
    }
    this.#head += chunk.toString('latin1')
    const end = this.#head.indexOf('\r\n\r\n')
    if (end < 0) return
    this.#status = Number(this.#head.slice(9, 12))
    const length = /\r\ncontent-length: (\d+)/i.exec(this.#head.slice(0, end))?.[1]
    this.#missing = end + 4 + Number(length ?? 0) - this.#head.length
    if (this.#missing <= 0) this.#settle(this.#status)
  }

  #settle(status: number): void {
    this.busy = false
    this.#head = ''
    this.#missing = 0
    this.#done(this, status, performance.now() - this.#dueAt)
  }
}

function load({ perSecond, forMs, connections, goodMs }: Order): Promise<Outcome> {
  const outcome: Outcome = { sent: 0, good: 0, served: 0, refused: 0, other: 0, servedP50Ms: 0, servedP99Ms: 0 }
  const latencies: number[] = []
  const free: Connection[] = []
  const late: number[] = []
  const startedAt = performance.now()
  /** Of `late`, how many were sent. */
  let taken = 0
  let isOver = false
  const all = Array.from({ length: connections }, () => new Connection(done))
  free.push(...all)

  function done(connection: Connection, status: number, ms: number): void {
    if (isOver) return
    if (status === 200) {
      outcome.served++
      if (ms <= goodMs) outcome.good++
      latencies.push(ms)
    } else if (status === 503) outcome.refused++
    else outcome.other++
    if (perSecond === 0) {
      outcome.sent++
      connection.send(performance.now())
    } else if (taken < late.length) connection.send(late[taken++] as number)
    else free.push(connection)
  }

  if (perSecond === 0) {
    outcome.sent = connections
    for (const connection of all) connection.send(startedAt)
  }
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const now = performance.now()
      const due = ((Math.min(now, startedAt + forMs) - startedAt) * perSecond) / 1000
      for (; outcome.sent < due; outcome.sent++) {
        const dueAt = startedAt + (outcome.sent * 1000) / perSecond
        const connection = free.pop()
        if (connection === undefined) late.push(dueAt)
        else connection.send(dueAt)
      }
      if (now < startedAt + forMs) return
      clearInterval(timer)
      isOver = true
      for (const connection of all) connection.end()
      outcome.other += outcome.sent - outcome.served - outcome.refused - outcome.other
      const sorted = Float64Array.from(latencies).sort()
      outcome.servedP50Ms = sorted[Math.floor(sorted.length * 0.5)] ?? Number.NaN
      outcome.servedP99Ms = sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN
      resolve(outcome)
    }, TICK_MS)
  })
}

process.on('message', (order: Order) => {
  load(order).then(tell, (error: unknown) => {
    console.error('The clients failed:', error)
    process.exit(1)
  })
})
announce({ url: null, secureUrl: null, pids: [process.pid] })

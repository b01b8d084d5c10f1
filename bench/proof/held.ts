/** A process that holds many connections, and sends requests over them in turn: as few bytes as HTTP/1.1 allows. */
import { connect, type Socket } from 'node:net'
import { announce, tell } from '../peers/peer.ts'
import { pacedFor } from './paced.ts'

const HOST = '127.0.0.1'
const REQUEST = `GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`
/** Opened at once. */
const WAVE = 200
const HEAD_END = '\r\n\r\n'

const port = Number(process.argv[2])
const connections: Held[] = []

class Held {
  readonly #socket: Socket
  #text = ''
  #answered: ((fault: string | null) => void) | null = null

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => this.#receive(text))
    socket.on('error', ({ message }) => this.#settle(message))
    socket.on('close', () => this.#settle('the connection was closed'))
  }

  ask(): Promise<string | null> {
    if (this.#socket.destroyed) return Promise.resolve('the connection was closed before the request')
    return new Promise((resolve) => {
      this.#answered = resolve
      this.#socket.write(REQUEST)
    })
  }

  #receive(text: string): void {
    this.#text += text
    const end = this.#text.indexOf(HEAD_END)
    if (end < 0) return
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(this.#text)?.[1] ?? 0)
    if (this.#text.length < end + HEAD_END.length + length) return
    const isGood = this.#text.startsWith('HTTP/1.1 200 ')
    const line = this.#text.slice(0, this.#text.indexOf('\r\n'))
    this.#text = ''
    this.#settle(isGood ? null : line)
  }

  #settle(fault: string | null): void {
    this.#answered?.(fault)
    this.#answered = null
  }
}

async function open(count: number): Promise<void> {
  while (connections.length < count) {
    const wave = Array.from(
      { length: Math.min(WAVE, count - connections.length) },
      () =>
        new Promise<Held>((resolve, reject) => {
          const socket = connect({ port, host: HOST, noDelay: true }, () => resolve(new Held(socket)))
          socket.once('error', reject)
        }),
    )
    for (const held of await Promise.all(wave)) {
      const fault = await held.ask()
      if (fault !== null) throw new Error(fault)
      connections.push(held)
    }
  }
}

type Order = { type: 'open'; connections: number } | { type: 'load'; perSecond: number; forMs: number }

async function obey(order: Order): Promise<void> {
  if (order.type === 'open') {
    await open(order.connections)
    return tell({ opened: connections.length })
  }
  let turn = 0
  tell(await pacedFor(order.forMs, order.perSecond, () => connections[turn++ % connections.length]!.ask()))
}

process.on('message', (order: Order) => {
  obey(order).catch((error: unknown) => {
    console.error('The connections failed:', error)
    process.exit(1)
  })
})
announce({ url: null, secureUrl: null, pids: [process.pid] })

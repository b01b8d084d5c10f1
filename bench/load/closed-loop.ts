/** Requests one after the other on connections that stay open: the next is sent when the last is answered. */
import type { Request, Traffic } from '../scenarios/scenario.ts'
import { type LoadClient, type LoadResult, Tally } from './client.ts'

/** Who waits for an answer. */
export interface Waiter {
  /** @param fault what is wrong with the answer; null when it is as it has to be */
  answered(fault: string | null): void
}

/** One connection. It takes no more requests at once than the traffic has streams. */
export interface Connection {
  /** @param kind which of the traffic's requests */
  send(kind: number, waiter: Waiter): void
  close(): void
}

/** One run: hands out requests until they are used up, and ends when all are answered. */
class Run {
  readonly tally: Tally
  #unsent: number
  #unanswered: number
  readonly #done: () => void

  constructor(traffic: Traffic, requests: number, done: () => void) {
    this.tally = new Tally(traffic, requests)
    this.#unsent = requests
    this.#unanswered = requests
    this.#done = done
  }

  take(): boolean {
    return this.#unsent > 0 && this.#unsent-- > 0
  }

  settled(): void {
    if (--this.#unanswered === 0) this.#done()
  }
}

/** One request at a time, of each kind by turns. */
class Slot implements Waiter {
  readonly #connection: Connection
  readonly #kinds: number
  #run: Run | null = null
  #kind: number
  #left = 0
  #sentAt = 0

  constructor(connection: Connection, kinds: number, first: number) {
    this.#connection = connection
    this.#kinds = kinds
    this.#kind = first % kinds
  }

  /** @param most requests that it may take */
  start(run: Run, most: number): void {
    this.#run = run
    this.#left = most
    this.#next()
  }

  answered(fault: string | null): void {
    const run = this.#run!
    if (fault === null) run.tally.succeeded(this.#kind, performance.now() - this.#sentAt)
    else run.tally.failed(fault)
    this.#kind = (this.#kind + 1) % this.#kinds
    this.#next()
    run.settled()
  }

  #next(): void {
    if (this.#left === 0 || !this.#run!.take()) return
    this.#left--
    this.#sentAt = performance.now()
    this.#connection.send(this.#kind, this)
  }
}

/** Keeps every stream of every connection busy. Neighbours begin with another kind, so that each is under way at any time. */
export class ClosedLoop implements LoadClient {
  readonly #traffic: Traffic
  readonly #connections: readonly Connection[]
  readonly #slots: Slot[]

  constructor(traffic: Traffic, connections: readonly Connection[]) {
    this.#traffic = traffic
    this.#connections = connections
    this.#slots = connections.flatMap((connection, number) =>
      Array.from({ length: traffic.streams }, (_, i) => new Slot(connection, traffic.requests.length, number + i)),
    )
  }

  run(requests: number): Promise<LoadResult> {
    const { even = false } = this.#traffic
    const most = even ? Math.ceil(requests / this.#slots.length) : Number.POSITIVE_INFINITY
    return new Promise((resolve) => {
      const run = new Run(this.#traffic, requests, () => resolve(run.tally.result()))
      for (const slot of this.#slots) slot.start(run, most)
    })
  }

  close(): void {
    for (const connection of this.#connections) connection.close()
  }
}

/** What is wrong with an answer's head and the length of its body; null when nothing is. */
export function faultOf({ answer }: Request, status: number, bodyBytes: number): string | null {
  if (status !== answer.status) return `status ${status} instead of ${answer.status}`
  return bodyBytes === answer.bodyBytes ? null : `a body of ${bodyBytes} bytes instead of ${answer.bodyBytes}`
}

import type { FastifyError } from '@fastify/error'
import { BusyError, DeadlineError, DisconnectedError, RemoteError } from './errors.ts'

/** How long a data-plane process may take to answer its supervisor. */
export const CALL_DEADLINE_MS = 3_000
/** Calls under way on one channel: far more than an admin plane needs, and a bound. */
const MOST_CALLS = 1000

type Message =
  | { headrace: 'call'; id: number; name: string; args: unknown[] }
  | { headrace: 'result'; id: number; result: unknown }
  | { headrace: 'failure'; id: number; message: string; code: string; statusCode: number }
  | { headrace: 'notice'; name: string; data: unknown }

interface PendingCall {
  name: string
  resolve(result: unknown): void
  reject(error: Error): void
  timer: NodeJS.Timeout
}

export interface ChannelOptions {
  /** Sends a cloneable message; calls `failed` where it cannot be delivered. */
  send(message: unknown, failed: (error: Error) => void): void
  /** Answers the other side's calls. What it throws goes back as message and code. */
  serve(name: string, args: unknown[]): Promise<unknown>
  /** Told of the other side's notices. */
  notice(name: string, data: unknown): void
}

/**
 * Calls with replies over a two-way pipe of messages, such as the one between a cluster's primary and a worker. Each call
 * has a deadline; messages of others on the same pipe are left alone.
 */
export class Channel {
  readonly #options: ChannelOptions
  readonly #calls = new Map<number, PendingCall>()
  #lastId = 0
  #closed = false

  constructor(options: ChannelOptions) {
    this.#options = options
  }

  /** @throws DeadlineError, DisconnectedError, BusyError, or RemoteError with the other side's message */
  call(name: string, args: readonly unknown[], deadlineMs: number): Promise<unknown> {
    if (this.#closed) return Promise.reject(new DisconnectedError(name))
    if (this.#calls.size >= MOST_CALLS) return Promise.reject(new BusyError(name))
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const id = ++this.#lastId
    const timer = setTimeout(() => this.#take(id)?.reject(new DeadlineError(name, deadlineMs)), deadlineMs)
    this.#calls.set(id, { name, resolve, reject, timer })
    this.#send({ headrace: 'call', id, name, args: [...args] }, () =>
      this.#take(id)?.reject(new DisconnectedError(name)),
    )
    return promise
  }

  /** Says something that has no reply; it is lost where the other side is gone. */
  notify(name: string, data: unknown = null): void {
    if (!this.#closed) this.#send({ headrace: 'notice', name, data }, () => {})
  }

  /** Takes a message from the pipe. */
  receive(message: unknown): void {
    if (this.#closed || !isMessage(message)) return
    switch (message.headrace) {
      case 'call':
        void this.#serve(message.id, message.name, message.args)
        break
      case 'result':
        this.#take(message.id)?.resolve(message.result)
        break
      case 'failure': {
        const { code, statusCode } = message
        this.#take(message.id)?.reject(Object.assign(new RemoteError(message.message), { code, statusCode }))
        break
      }
      case 'notice':
        this.#options.notice(message.name, message.data)
    }
  }

  /** The pipe is gone: every call under way fails, further ones fail at once. */
  close(): void {
    this.#closed = true
    for (const [id, { name }] of this.#calls) this.#take(id)?.reject(new DisconnectedError(name))
  }

  async #serve(id: number, name: string, args: unknown[]): Promise<void> {
    let reply: Message
    try {
      reply = { headrace: 'result', id, result: await this.#options.serve(name, args) }
    } catch (error) {
      const { message = String(error), code = 'HR_CONTROL_REMOTE', statusCode = 500 } = error as Partial<FastifyError>
      reply = { headrace: 'failure', id, message, code, statusCode }
    }
    // A caller that is gone needs no reply.
    if (!this.#closed) this.#send(reply, () => {})
  }

  #send(message: Message, failed: (error: Error) => void): void {
    try {
      this.#options.send(message, failed)
    } catch (error) {
      failed(error as Error)
    }
  }

  #take(id: number): PendingCall | undefined {
    const call = this.#calls.get(id)
    if (!call) return undefined
    this.#calls.delete(id)
    clearTimeout(call.timer)
    return call
  }
}

function isMessage(message: unknown): message is Message {
  return typeof message === 'object' && message !== null && 'headrace' in message
}

import type { Dispatcher } from 'undici'

/** A handler that may have to wait for a connection, and can give that up. */
export interface Patient {
  /** Its place, while it waits. */
  waiting: Waiting | undefined
}

/** A request without a connection yet. */
export class Waiting {
  readonly options: Dispatcher.DispatchOptions
  readonly handler: Dispatcher.DispatchHandler
  previous: Waiting | undefined
  next: Waiting | undefined
  readonly #line: WaitingLine

  constructor(line: WaitingLine, options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) {
    this.#line = line
    this.options = options
    this.handler = handler
  }

  /** Waits no longer: the handler is told nothing. */
  withdraw(): void {
    this.#line.remove(this)
  }
}

/** Requests that wait for a connection, in the order of their arrival. Whoever adds bounds it (`Target.full`). */
export class WaitingLine {
  length = 0
  #first: Waiting | undefined
  #last: Waiting | undefined

  add(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    const waiting = new Waiting(this, options, handler)
    waiting.previous = this.#last
    if (this.#last === undefined) this.#first = waiting
    else this.#last.next = waiting
    this.#last = waiting
    this.length++
    ;(handler as Partial<Patient>).waiting = waiting
  }

  /** The one that has waited longest, which then waits no longer. */
  take(): Waiting | undefined {
    const first = this.#first
    if (first !== undefined) this.remove(first)
    return first
  }

  remove(waiting: Waiting): void {
    const { previous, next, handler } = waiting
    if (previous === undefined) this.#first = next
    else previous.next = next
    if (next === undefined) this.#last = previous
    else next.previous = previous
    this.length--
    ;(handler as Partial<Patient>).waiting = undefined
  }
}

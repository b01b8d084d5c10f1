/** Something that has to be done by a time. The links belong to {@link Deadlines}. */
export interface Deadline {
  /** On the clock of `now()`, in ms; may be moved at any time. `Infinity` for none. */
  deadlineAt: number
  expire(): void
  previous: Deadline | null
  next: Deadline | null
}

/**
 * So many expire in a turn of the event loop: each gives up a connection and answers a client, and of a dead upstream's
 * requests hundreds may be due at once, which everybody else would wait for.
 */
const MOST_IN_A_TURN = 4

/**
 * Deadlines of everything in flight, looked at by one coarse timer: adding, moving and removing one is a few
 * assignments, where a timer of its own costs microseconds (an AbortSignal.timeout 2.8 µs). Late by a tick at most.
 */
export class Deadlines {
  readonly #now: () => number
  #tickMs: number
  #first: Deadline | null = null
  /** The one that a look has come to: what expires may remove it. */
  #next: Deadline | null = null
  /** The look goes on in the next turn. */
  #rest: NodeJS.Immediate | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(options: { tickMs: number; now?: () => number }) {
    this.#tickMs = options.tickMs
    this.#now = options.now ?? (() => performance.now())
  }

  /** Makes the timer come at least so often. To be called before there is anything to look at. */
  sharpen(tickMs: number): void {
    this.#tickMs = Math.min(this.#tickMs, tickMs)
  }

  add(deadline: Deadline): void {
    deadline.previous = null
    deadline.next = this.#first
    if (this.#first !== null) this.#first.previous = deadline
    this.#first = deadline
    // The timer runs while there is something to look at, and does not keep the process alive.
    this.#timer ??= setInterval(this.tick, this.#tickMs).unref()
  }

  remove(deadline: Deadline): void {
    if (deadline.previous !== null) deadline.previous.next = deadline.next
    else if (this.#first === deadline) this.#first = deadline.next
    if (deadline.next !== null) deadline.next.previous = deadline.previous
    if (this.#next === deadline) this.#next = deadline.next
    deadline.previous = deadline.next = null
  }

  /** Expires what is due. Called by the timer. */
  tick = (): void => {
    if (this.#first === null) this.close()
    this.#look(this.#first)
  }

  close(): void {
    clearInterval(this.#timer)
    clearImmediate(this.#rest)
    this.#timer = this.#rest = undefined
  }

  #look(from: Deadline | null): void {
    const now = this.#now()
    let left = MOST_IN_A_TURN
    for (let deadline = from; deadline !== null; deadline = this.#next) {
      this.#next = deadline.next
      if (now < deadline.deadlineAt) continue
      if (left-- === 0) {
        this.#next = deadline
        this.#rest ??= setImmediate(this.#goOn)
        return
      }
      deadline.expire()
    }
  }

  readonly #goOn = (): void => {
    this.#rest = undefined
    this.#look(this.#next)
  }
}

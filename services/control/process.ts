import { CALL_DEADLINE_MS, Channel } from './channel.ts'
import type { CommandName, ControlCommands } from './commands.ts'
import type { Answer, ArgsOf, Control, Receipt } from './control.ts'
import { DisconnectedError } from './errors.ts'
import type { LocalControl } from './local.ts'
import type { ControlQueries, QueryName } from './queries.ts'

/** Longer than the supervisor waits for its processes: it is the one that knows who is late. */
const SUPERVISOR_DEADLINE_MS = CALL_DEADLINE_MS + 2_000

export interface AttachOptions {
  /** Answers for this process. */
  local: LocalControl
  /**
   * Stops accepting, finishes what is under way, and resolves. Called once: on the supervisor's word or on a SIGTERM of
   * this process alone. The process ends when it resolves.
   */
  drain: () => Promise<void>
  /** What went wrong while draining; the process then ends with code 1. */
  onError: (error: unknown) => void
}

/** A data-plane process's side of the supervisor. */
export interface ProcessLink {
  /** Asks the supervisor, which asks all processes, this one included. */
  control: Control
  /** What the supervisor was started with as `boot`: the configuration, the token. Cloned. */
  boot(): Promise<unknown>
  /** Everything is listening: from now on this process is asked, and counts as started. */
  ready(): void
}

/**
 * Ties a process that `startSupervisor` forked to its supervisor. Call it first: SIGINT (which a terminal sends to the
 * whole group) is left to the supervisor from then on.
 *
 * When the supervisor dies, node:cluster ends this process at once.
 * @throws DisconnectedError where no supervisor has forked this process
 */
export function attachProcess({ local, drain, onError }: AttachOptions): ProcessLink {
  if (!process.send) throw new DisconnectedError('attach')
  let draining = false
  const drainOnce = (): void => {
    if (draining) return
    draining = true
    drain().then(
      () => process.exit(0),
      (error: unknown) => {
        onError(error)
        process.exit(1)
      },
    )
  }
  const channel = new Channel({
    send: (message, failed) => process.send!(message, undefined, undefined, (error) => error && failed(error)),
    serve: (name, args) => serve(local, name, args),
    notice: (name) => {
      if (name === 'drain') drainOnce()
    },
  })
  process.on('message', (message) => channel.receive(message))
  process.on('SIGTERM', drainOnce)
  process.on('SIGINT', () => {})
  return {
    control: new ProcessControl(channel),
    boot: () => channel.call('boot', [], SUPERVISOR_DEADLINE_MS),
    ready: () => channel.notify('ready'),
  }
}

async function serve(local: LocalControl, name: string, args: unknown[]): Promise<unknown> {
  // The supervisor runs the same release: what it sends is what the types say.
  const [what, own] = args as [QueryName | CommandName, []]
  return name === 'ask' ? local.part(what as QueryName, ...own) : local.apply(what as CommandName, own)
}

/** The control port of any process, which lets the supervisor answer for all. */
class ProcessControl implements Control {
  readonly #channel: Channel

  constructor(channel: Channel) {
    this.#channel = channel
  }

  async ask<Q extends QueryName>(
    query: Q,
    ...args: ArgsOf<ControlQueries[Q]['args']>
  ): Promise<Answer<ControlQueries[Q]['result']>> {
    const answer = await this.#channel.call('ask', [query, args], SUPERVISOR_DEADLINE_MS)
    return answer as Answer<ControlQueries[Q]['result']>
  }

  async tell<C extends CommandName>(command: C, ...args: ArgsOf<ControlCommands[C]>): Promise<Receipt> {
    return (await this.#channel.call('tell', [command, args], SUPERVISOR_DEADLINE_MS)) as Receipt
  }
}

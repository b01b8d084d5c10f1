import { CALL_DEADLINE_MS, Channel } from './channel.ts'
import { CENTRAL_DEADLINE_MS, type CommandName, COMMANDS, type ControlCommands, type ResultOf } from './commands.ts'
import type { Answer, ArgsOf, Control, Receipt } from './control.ts'
import { DisconnectedError } from './errors.ts'
import type { LocalControl } from './local.ts'
import { endOrphan, endWithSupervisor } from './orphan.ts'
import { type ControlQueries, QUERIES, type QueryName } from './queries.ts'

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
  /** Everything is built. Resolves when this process may listen: at once, or when others that start with it are as far. */
  mayListen(): Promise<void>
  /** Everything is listening: from now on this process is asked, and counts as started. */
  ready(): void
  /** Says why this process cannot start, and ends it with code 1. */
  fail(failure: ProcessFailure): Promise<never>
}

/** What kept a process from starting, as its supervisor passes it on: the same error that one process alone would throw. */
export interface ProcessFailure {
  code: string
  message: string
}

/** What a terminal, or whoever ends it, sends to the whole group of processes: the supervisor is the one to act on it. */
const SUPERVISORS_SIGNALS = ['SIGINT', 'SIGHUP', 'SIGQUIT'] as const

/**
 * Ties a process that `startSupervisor` forked to its supervisor. Call it first: the signals that a terminal sends to the
 * whole group (Ctrl-C) are left to the supervisor from then on.
 *
 * When the supervisor dies, this process ends at once.
 * @throws DisconnectedError where no supervisor has forked this process
 */
export function attachProcess({ local, drain, onError }: AttachOptions): ProcessLink {
  if (!process.send) throw new DisconnectedError('attach')
  endWithSupervisor()
  let draining = false
  /** It has said what it has counted, and answers no more: that would count twice. */
  let said = false
  const drainOnce = (): void => {
    if (draining) return
    draining = true
    drain()
      .then(async () => {
        said = true
        // A supervisor that is gone counts no more.
        await channel.call('farewell', [await lastingParts(local)], CALL_DEADLINE_MS).catch(() => {})
      })
      .then(
        () => process.exit(0),
        (error: unknown) => {
          onError(error)
          process.exit(1)
        },
      )
  }
  const channel = new Channel({
    // A pipe that takes nothing has lost its other end, even where that has not been read from it yet.
    send: (message) => process.send!(message, undefined, undefined, (error) => error && endOrphan()),
    serve: async (name, args) => {
      const result = await serve(local, name, args)
      if (said) throw new DisconnectedError(name)
      return result
    },
    notice: (name) => {
      if (name === 'drain') drainOnce()
    },
  })
  process.on('message', (message) => channel.receive(message))
  process.on('SIGTERM', drainOnce)
  for (const signal of SUPERVISORS_SIGNALS) process.on(signal, () => {})
  return {
    control: new ProcessControl(channel),
    boot: () => channel.call('boot', [], SUPERVISOR_DEADLINE_MS),
    mayListen: async () => void (await channel.call('listen', [], CENTRAL_DEADLINE_MS)),
    ready: () => channel.notify('ready'),
    fail: async (failure) => {
      // A call and not a notice: it has arrived when the process ends. A supervisor that is gone wants no reason.
      await channel.call('failed', [failure], SUPERVISOR_DEADLINE_MS).catch(() => {})
      process.exit(1)
    },
  }
}

async function serve(local: LocalControl, name: string, args: unknown[]): Promise<unknown> {
  // The supervisor runs the same release: what it sends is what the types say.
  const [what, own] = args as [QueryName | CommandName, ArgsOf<ControlQueries[QueryName]['args']>]
  return name === 'ask' ? local.part(what as QueryName, ...own) : local.apply(what as CommandName, own)
}

/** What stays counted when this process is gone. */
async function lastingParts(local: LocalControl): Promise<[QueryName, unknown][]> {
  const names = (Object.keys(QUERIES) as QueryName[]).filter((name) => QUERIES[name].lasting && local.answers(name))
  return Promise.all(
    names.map(async (name): Promise<[QueryName, unknown]> => [name, await local.part(name as 'metrics')]),
  )
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
    const answer = await this.#channel.call('ask', [query, args], deadlineOf(QUERIES[query].central))
    return answer as Answer<ControlQueries[Q]['result']>
  }

  async tell<C extends CommandName>(command: C, ...args: ArgsOf<ControlCommands[C]>): Promise<Receipt<ResultOf<C>>> {
    const deadlineMs = deadlineOf(COMMANDS[command].central)
    return (await this.#channel.call('tell', [command, args], deadlineMs)) as Receipt<ResultOf<C>>
  }
}

function deadlineOf(central: boolean | undefined): number {
  return central === true ? CENTRAL_DEADLINE_MS : SUPERVISOR_DEADLINE_MS
}

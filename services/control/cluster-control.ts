import { type CommandName, COMMANDS, type ControlCommands } from './commands.ts'
import {
  type Answer,
  type ArgsOf,
  type Control,
  describeMissing,
  type MissingProcess,
  type Receipt,
} from './control.ts'
import { NoAnswerError, PartlyAppliedError } from './errors.ts'
import type { CommandHandlers } from './local.ts'
import { type ControlQueries, QUERIES, type QueryName, type QueryRule } from './queries.ts'

/** What a supervisor knows of a data-plane process, and calls to it. */
export interface Member {
  /** Its number, 1…n; a replacement has the same. */
  process: number
  /** Never the same for two processes, a replacement included. */
  id: number
  pid: number | null
  /** Null while it is not there: being started, or gone. */
  call: ((name: 'ask' | 'tell', args: readonly unknown[], deadlineMs: number) => Promise<unknown>) | null
}

export interface ClusterControlOptions {
  /** Every process there should be, also those that are away. */
  members(): readonly Member[]
  /** How long each process has to answer. */
  deadlineMs: number
  /** Commands that this process, which is no member, obeys as well. */
  obey?: CommandHandlers
}

/** What is kept of one query's past answers, for queries with `lasting`. */
interface History {
  /** The lasting content of processes that are gone. */
  retired: unknown
  /** The last part of each process, by id. */
  last: Map<number, unknown>
}

/**
 * The control port over all processes: asks every one at the same time, merges what comes within the deadline, and names
 * those that did not answer.
 */
export class ClusterControl implements Control {
  readonly #options: ClusterControlOptions
  readonly #lastingCommands = new Map<CommandName, readonly unknown[]>()
  readonly #histories = new Map<QueryName, History>()

  constructor(options: ClusterControlOptions) {
    this.#options = options
  }

  async ask<Q extends QueryName>(
    query: Q,
    ...args: ArgsOf<ControlQueries[Q]['args']>
  ): Promise<Answer<ControlQueries[Q]['result']>> {
    const { parts, missing } = await this.#all('ask', [query, args])
    if (parts.size === 0) throw new NoAnswerError(query, describeMissing(missing))
    // Parts come from the handlers of the same query: the map of rules ties the types, an index loses it.
    const rule = QUERIES[query] as QueryRule<unknown, ControlQueries[Q]['result']>
    return { result: rule.merge(this.#withHistory(query, rule, parts), missing), missing }
  }

  async tell<C extends CommandName>(command: C, ...args: ArgsOf<ControlCommands[C]>): Promise<Receipt> {
    if (COMMANDS[command].lasting) this.#lastingCommands.set(command, args)
    await this.#options.obey?.[command]?.(...args)
    const { parts, missing } = await this.#all('tell', [command, args])
    if (missing.length > 0) throw new PartlyAppliedError(command, describeMissing(missing))
    return { applied: parts.size }
  }

  /** Gives a process that has just started the lasting commands that the others have had. */
  async joined(member: Member): Promise<void> {
    const { deadlineMs } = this.#options
    for (const [command, args] of this.#lastingCommands) await member.call?.('tell', [command, args], deadlineMs)
  }

  async #all(
    name: 'ask' | 'tell',
    args: readonly unknown[],
  ): Promise<{ parts: Map<number, unknown>; missing: MissingProcess[] }> {
    const parts = new Map<number, unknown>()
    const missing: MissingProcess[] = []
    await Promise.all(
      this.#options.members().map(async ({ process, id, pid, call }) => {
        if (!call) {
          missing.push({ process, pid, reason: 'it is not running' })
          return
        }
        try {
          parts.set(id, await call(name, args, this.#options.deadlineMs))
        } catch (error) {
          missing.push({ process, pid, reason: (error as Error).message })
        }
      }),
    )
    missing.sort((a, b) => a.process - b.process)
    return { parts, missing }
  }

  /**
   * The parts to merge. For a query with lasting content: also that of processes that are gone, and the last known of those
   * that are late, so that no sum falls and rises again.
   */
  #withHistory(query: QueryName, rule: QueryRule<unknown, unknown>, parts: Map<number, unknown>): unknown[] {
    const { lasting } = rule
    if (!lasting) return [...parts.values()]
    let history = this.#histories.get(query)
    if (!history) this.#histories.set(query, (history = { retired: undefined, last: new Map() }))
    for (const [id, part] of parts) history.last.set(id, part)
    const present = new Set(this.#options.members().map(({ id }) => id))
    const late: unknown[] = []
    for (const [id, part] of history.last) {
      if (parts.has(id)) continue
      if (present.has(id)) late.push(lasting(part))
      else {
        const old = history.retired
        history.retired = old === undefined ? lasting(part) : rule.merge([old, lasting(part)], [])
        history.last.delete(id)
      }
    }
    return [...parts.values(), ...late, ...(history.retired === undefined ? [] : [history.retired])]
  }
}

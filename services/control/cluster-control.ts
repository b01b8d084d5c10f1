import { type CommandName, type CommandRule, COMMANDS, type ControlCommands, type ResultOf } from './commands.ts'
import {
  type Answer,
  type ArgsOf,
  type Control,
  describeMissing,
  type MissingProcess,
  type Receipt,
} from './control.ts'
import { NoAnswerError, PartlyAppliedError } from './errors.ts'
import { LocalControl } from './local.ts'
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
  /**
   * Processes that are on their way out: commands reach them too, and what they count is counted. That one of them does not
   * answer is nobody's concern.
   */
  leaving?(): readonly Member[]
  /**
   * Processes that start: commands reach them in their order, ahead of the word that they may listen. So nobody waits for
   * them, and what they have no part for yet they need not be told.
   */
  starting?(): readonly Member[]
  /** How long each process has to answer. */
  deadlineMs: number
  /** Of this process, which is no member: what is central, its part of an answer, and commands that it obeys as well. */
  own?: LocalControl
}

/** Tells commands of the past apart. */
export type CommandTest = (command: CommandName, args: readonly unknown[]) => boolean

/** What is kept of one query's past answers, for queries with `lasting`. */
interface History {
  /** The lasting content of processes that are gone. */
  retired: unknown
  /** The last part of each process, by id. */
  last: Map<number, unknown>
}

/** By which the part of this process is known among those of the others. */
const OWN_ID = 0

/**
 * The control port over all processes: asks every one at the same time, merges what comes within the deadline, and names
 * those that did not answer.
 */
export class ClusterControl implements Control {
  readonly #options: ClusterControlOptions
  readonly #own: LocalControl
  /** By what they set. */
  readonly #lastingCommands = new Map<string, { command: CommandName; args: readonly unknown[] }>()
  readonly #histories = new Map<QueryName, History>()

  constructor(options: ClusterControlOptions) {
    this.#options = options
    this.#own = options.own ?? new LocalControl()
  }

  async ask<Q extends QueryName>(
    query: Q,
    ...args: ArgsOf<ControlQueries[Q]['args']>
  ): Promise<Answer<ControlQueries[Q]['result']>> {
    // Parts come from the handlers of the same query: the map of rules ties the types, an index loses it.
    const rule = QUERIES[query] as QueryRule<unknown, ControlQueries[Q]['result']>
    if (rule.central === true) return this.#own.ask(query, ...args)
    const call = ['ask', [query, args]] as const
    const { parts, missing } = await this.#all(this.#options.members(), call)
    // What the others are or hold is not the gateway's any more; what they count is.
    if (rule.lasting) for (const [id, part] of (await this.#all(this.#leaving(), call)).parts) parts.set(id, part)
    if (parts.size === 0) throw new NoAnswerError(query, describeMissing(missing))
    if (this.#own.answers(query)) parts.set(OWN_ID, await this.#own.part(query, ...args))
    return { result: rule.merge(this.#withHistory(query, rule, parts), missing), missing }
  }

  async tell<C extends CommandName>(command: C, ...args: ArgsOf<ControlCommands[C]>): Promise<Receipt<ResultOf<C>>> {
    const rule = COMMANDS[command] as CommandRule<ControlCommands[C]>
    if (rule.central === true) return this.#own.tell(command, ...args)
    this.#remember(command, rule, args)
    const call = ['tell', [command, args]] as const
    void this.#all(this.#options.starting?.() ?? [], call)
    if (this.#own.obeys(command)) await this.#own.apply(command, args)
    const [{ parts, missing }] = await Promise.all([
      this.#all(this.#options.members(), call),
      this.#all(this.#leaving(), call),
    ])
    if (missing.length > 0) throw new PartlyAppliedError(command, describeMissing(missing))
    return { applied: parts.size, results: [...parts.values()] as ResultOf<C>[] }
  }

  /**
   * Gives a process that is about to serve the lasting commands that the others have had.
   *
   * @param except those that do not hold for it
   * @throws what the first has failed with that could not be obeyed
   */
  async joined(member: Pick<Member, 'call'>, except: CommandTest = () => false): Promise<void> {
    const { deadlineMs } = this.#options
    const told = [...this.#lastingCommands.values()]
      .filter(({ command, args }) => !except(command, args))
      .map(async ({ command, args }) => member.call?.('tell', [command, args], deadlineMs))
    // One that cannot be obeyed is no reason to go without the others.
    for (const outcome of await Promise.allSettled(told)) if (outcome.status === 'rejected') throw outcome.reason
  }

  /** Lasting commands that last no longer: processes that join from now on begin without them. */
  forget(which: CommandTest): void {
    for (const [key, { command, args }] of this.#lastingCommands) {
      if (which(command, args)) this.#lastingCommands.delete(key)
    }
  }

  /** What a process has counted until its end; it answers no more. */
  farewell(id: number, parts: readonly (readonly [QueryName, unknown])[]): void {
    for (const [query, part] of parts)
      retire(this.#historyOf(query), id, QUERIES[query] as QueryRule<unknown, unknown>, part)
  }

  #remember<C extends CommandName>(
    command: C,
    { lasting, gather }: CommandRule<ControlCommands[C]>,
    args: readonly unknown[],
  ): void {
    if (lasting === false) return
    const last = args[0] as ControlCommands[C]
    const key = `${command} ${lasting(last)}`
    const before = this.#lastingCommands.get(key)?.args[0] as ControlCommands[C] | undefined
    const told = gather === undefined || before === undefined ? args : [gather(before, last)]
    this.#lastingCommands.set(key, { command, args: told })
  }

  #leaving(): readonly Member[] {
    return this.#options.leaving?.() ?? []
  }

  async #all(
    members: readonly Member[],
    [name, args]: readonly ['ask' | 'tell', readonly unknown[]],
  ): Promise<{ parts: Map<number, unknown>; missing: MissingProcess[] }> {
    const parts = new Map<number, unknown>()
    const missing: MissingProcess[] = []
    await Promise.all(
      members.map(async ({ process, id, pid, call }) => {
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
    const history = this.#historyOf(query)
    for (const [id, part] of parts) if (id !== OWN_ID) history.last.set(id, part)
    const present = new Set([...this.#options.members(), ...this.#leaving()].map(({ id }) => id))
    const late: unknown[] = []
    for (const [id, part] of history.last) {
      if (parts.has(id)) continue
      if (present.has(id)) late.push(lasting(part))
      else retire(history, id, rule, part)
    }
    return [...parts.values(), ...late, ...(history.retired === undefined ? [] : [history.retired])]
  }

  #historyOf(query: QueryName): History {
    let history = this.#histories.get(query)
    if (!history) this.#histories.set(query, (history = { retired: undefined, last: new Map() }))
    return history
  }
}

/** The process has counted all that it will. */
function retire(history: History, id: number, rule: QueryRule<unknown, unknown>, part: unknown): void {
  const { lasting, merge } = rule
  history.last.delete(id)
  if (!lasting) return
  const old = history.retired
  history.retired = old === undefined ? lasting(part) : merge([old, lasting(part)], [])
}

import type { CommandName, ControlCommands, ResultOf } from './commands.ts'
import type { Answer, ArgsOf, Control, Receipt } from './control.ts'
import { UnsupportedError } from './errors.ts'
import { type ControlQueries, QUERIES, type QueryName } from './queries.ts'

/** What a data plane does for each query and command. A part that is switched off leaves its handlers out. */
export type QueryHandlers = {
  [Q in QueryName]?: (
    ...args: ArgsOf<ControlQueries[Q]['args']>
  ) => ControlQueries[Q]['part'] | Promise<ControlQueries[Q]['part']>
}
export type CommandHandlers = {
  [C in CommandName]?: (...args: ArgsOf<ControlCommands[C]>) => ResultOf<C> | Promise<ResultOf<C>>
}

type AnyHandler = (...args: unknown[]) => unknown

/**
 * The control port of the data plane in this process: handlers registered by the parts that can answer, called directly.
 * With several processes it is also what each one answers the supervisor with.
 */
export class LocalControl implements Control {
  readonly #queries: QueryHandlers = {}
  readonly #commands: CommandHandlers = {}
  /** Answers and obeys in what this one has no handler for. */
  #inner: LocalControl | null = null

  /** Takes over these queries; a later handler replaces an earlier one. */
  answer(handlers: QueryHandlers): void {
    Object.assign(this.#queries, handlers)
  }

  /** Takes over these commands; a later handler replaces an earlier one. */
  obey(handlers: CommandHandlers): void {
    Object.assign(this.#commands, handlers)
  }

  /** Leaves to `inner` what has no handler here, and to nobody that it was left to before: all at once. */
  delegate(inner: LocalControl): void {
    this.#inner = inner
  }

  answers(query: QueryName): boolean {
    return this.#query(query) !== undefined
  }

  obeys(command: CommandName): boolean {
    return this.#command(command) !== undefined
  }

  async ask<Q extends QueryName>(
    query: Q,
    ...args: ArgsOf<ControlQueries[Q]['args']>
  ): Promise<Answer<ControlQueries[Q]['result']>> {
    return { result: QUERIES[query].merge([await this.part(query, ...args)], []), missing: [] }
  }

  async tell<C extends CommandName>(command: C, ...args: ArgsOf<ControlCommands[C]>): Promise<Receipt<ResultOf<C>>> {
    return { applied: 1, results: [(await this.apply(command, args)) as ResultOf<C>] }
  }

  /** This process's part of an answer, before the merge. @throws UnsupportedError */
  async part<Q extends QueryName>(
    query: Q,
    ...args: ArgsOf<ControlQueries[Q]['args']>
  ): Promise<ControlQueries[Q]['part']> {
    const handler = this.#query(query)
    if (!handler) throw new UnsupportedError(query)
    return (await handler(...args)) as ControlQueries[Q]['part']
  }

  /** Applies a command in this process. @returns what its handler says. @throws UnsupportedError */
  async apply(command: CommandName, args: readonly unknown[]): Promise<unknown> {
    const handler = this.#command(command)
    if (!handler) throw new UnsupportedError(command)
    return await handler(...args)
  }

  // The map's type ties handler, arguments and part together; an index by a type parameter loses that.
  #query(query: QueryName): AnyHandler | undefined {
    const own = this.#queries[query] as AnyHandler | undefined
    return own === undefined && this.#inner !== null ? this.#inner.#query(query) : own
  }

  #command(command: CommandName): AnyHandler | undefined {
    const own = this.#commands[command] as AnyHandler | undefined
    return own === undefined && this.#inner !== null ? this.#inner.#command(command) : own
  }
}

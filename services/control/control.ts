import type { CommandName, ControlCommands, ResultOf } from './commands.ts'
import type { ControlQueries, QueryName } from './queries.ts'

/** Arguments of a query or command as a tuple: none where it takes none. */
export type ArgsOf<T> = [T] extends [undefined] ? [] : [args: T]

/** A data-plane process that did not answer, or did not apply a command. */
export interface MissingProcess {
  /** Its number, 1…n; it stays the same when the process is replaced. */
  process: number
  pid: number | null
  reason: string
}

export interface Answer<Result> {
  result: Result
  /** Processes that are not in the result. */
  missing: MissingProcess[]
}

export interface Receipt<Result = void> {
  /** How many processes have applied the command. */
  applied: number
  /** What each of them said. */
  results: Result[]
}

/**
 * The one way by which admin routes and the command line read and steer the data plane, wherever it runs. In one process
 * it is a direct call; with several, all are asked and the query's rule merges what they say.
 */
export interface Control {
  /** @throws NoAnswerError where no process answered; in one process, what its handler throws */
  ask<Q extends QueryName>(
    query: Q,
    ...args: ArgsOf<ControlQueries[Q]['args']>
  ): Promise<Answer<ControlQueries[Q]['result']>>
  /**
   * Resolves once every process has applied it.
   * @throws PartlyAppliedError naming those that have not; in one process, what its handler throws
   */
  tell<C extends CommandName>(command: C, ...args: ArgsOf<ControlCommands[C]>): Promise<Receipt<ResultOf<C>>>
}

export function describeMissing(missing: readonly MissingProcess[]): string {
  return missing
    .map(({ process, pid, reason }) => `process ${process}${pid === null ? '' : `, pid ${pid}`}: ${reason}`)
    .join('; ')
}

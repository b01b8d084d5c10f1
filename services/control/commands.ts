import type { LogOptions } from '../log/options.ts'

export type LogLevel = LogOptions['level']

/** Every command and its cloneable arguments. A command may be sent twice: each sets a state, none adds to one. */
export interface ControlCommands {
  /** The least severity that is written, until the next start. */
  'log-level': { level: LogLevel }
}
export type CommandName = keyof ControlCommands

/** Whether a process that joins later gets the last command of this name too, so that all stay alike. */
export const COMMANDS: { [C in CommandName]: { lasting: boolean } } = {
  'log-level': { lasting: true },
}

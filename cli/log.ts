import { closest } from '../config/suggest.ts'
import type { LogLevel } from '../services/control/commands.ts'
import { logSchema } from '../services/log/options.ts'
import { withAdmin } from './admin.ts'
import { ADMIN_OPTIONS, findAdmin } from './admin-access.ts'
import type { Call, Command, ExitCode } from './command.ts'
import { counted } from './counted.ts'
import { UsageError } from './errors.ts'
import { type MissingProcess, warnOfMissing } from './missing-processes.ts'
import { painter } from './terminal.ts'

const LEVELS = (logSchema.properties.level as unknown as { enum: readonly LogLevel[] }).enum

/** Shows or sets the level of a running gateway's log. */
export const log: Command = {
  name: 'log',
  arguments: '[LEVEL]',
  summary: 'Show or set the log level of the running gateway, until its next start',
  options: ADMIN_OPTIONS,
  positionals: [0, 1],
  run,
}

async function run(call: Call): Promise<ExitCode> {
  const { stdout } = call.surroundings
  const level = levelOf(call.positionals[0])
  const access = await findAdmin(call)
  if (access === undefined) return 1
  await withAdmin(access, async (admin) => {
    if (level === undefined) {
      const answer = await admin.get<Shown>('/log', ['level', 'missing'])
      stdout.write(`${answer.level}\n`)
      warnOfMissing(answer.missing, call.surroundings)
    } else {
      const answer = await admin.put<Applied>('/log', { level }, ['level', 'applied'])
      const processes = counted(answer.applied, 'process', 'processes')
      stdout.write(`${painter(stdout)('green', '✔')} ${answer.level} in ${processes}, until the next start\n`)
    }
  })
  return 0
}

interface Shown {
  level: LogLevel
  missing: MissingProcess[]
}

interface Applied {
  level: LogLevel
  applied: number
}

/** @throws HR_CLI_USAGE */
function levelOf(text: string | undefined): LogLevel | undefined {
  const level = LEVELS.find((known) => known === text)
  if (text === undefined || level !== undefined) return level
  const near = closest(text, LEVELS)
  const hint = near === undefined ? `there are ${LEVELS.join(', ')}` : `did you mean '${near}'?`
  throw new UsageError(`'${text}' is no log level; ${hint}`)
}

import type { ConfigChange } from '../services/configuration/report.ts'
import { withAdmin } from './admin.ts'
import { ADMIN_OPTIONS, findAdmin } from './admin-access.ts'
import { formatChanges } from './changes-text.ts'
import type { Call, Command, ExitCode } from './command.ts'
import { counted } from './counted.ts'
import { showRefusal } from './refusal.ts'
import { painter } from './terminal.ts'

/** What a reload of the running gateway would change: it reads its file as for a reload, and compares. */
export const diff: Command = {
  name: 'diff',
  arguments: '',
  summary: 'Show what a reload would change; exit code 0: nothing, 1: something, 2: it cannot be told',
  options: {
    json: { type: 'boolean', description: 'Print what the gateway answers as JSON' },
    ...ADMIN_OPTIONS,
  },
  positionals: [0, 0],
  failed: 2,
  run,
}

interface Shown {
  source: string | null
  version: number
  changes: ConfigChange[]
}

/** The gateway evaluates its configuration, which may be code, within this. */
const DEADLINE_MS = 15_000

async function run(call: Call): Promise<ExitCode> {
  const { stdout } = call.surroundings
  const access = await findAdmin(call)
  if (access === undefined) return 2
  const shown = await withAdmin(
    access,
    (admin) => admin.get<Shown>('/config/diff', ['source', 'version', 'changes']),
    DEADLINE_MS,
  ).catch((error: unknown) => {
    showRefusal(error, call.surroundings)
    throw error
  })
  const { source, version, changes } = shown
  const paint = painter(stdout)
  if (call.has('json')) stdout.write(`${JSON.stringify(shown, null, 2)}\n`)
  else if (changes.length === 0) stdout.write(`${paint('green', '✔')} ${source ?? 'the configuration'} is what runs\n`)
  else {
    const needed = changes.filter(({ effect }) => effect === 'restart').length
    const hint = needed === 0 ? 'headrace reload puts them into force' : `${needed} of them only after a restart`
    stdout.write(formatChanges(changes, paint))
    stdout.write(
      `${paint('dim', `${counted(changes.length, 'change')} against configuration ${version}, which runs; ${hint}`)}\n`,
    )
  }
  return changes.length === 0 ? 0 : 1
}

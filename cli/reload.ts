import type { ConfigChange } from '../services/configuration/report.ts'
import { withAdmin } from './admin.ts'
import { ADMIN_OPTIONS, findAdmin } from './admin-access.ts'
import { formatChanges } from './changes-text.ts'
import type { Call, Command, ExitCode } from './command.ts'
import { showRefusal } from './refusal.ts'
import { painter } from './terminal.ts'

/** Has a running gateway put its configuration into force as it is now. */
export const reload: Command = {
  name: 'reload',
  arguments: '',
  summary: 'Put the configuration into force in the running gateway; what is faulty changes nothing',
  options: {
    force: {
      type: 'boolean',
      description: 'Where nothing has changed, replace the processes all the same, one after another',
    },
    json: { type: 'boolean', description: 'Print what the gateway answers as JSON' },
    ...ADMIN_OPTIONS,
  },
  positionals: [0, 0],
  run,
}

interface Outcome {
  outcome: 'reloaded' | 'unchanged' | 'restarting'
  version: number
  changes: ConfigChange[]
}

/** Longer than new processes may take to boot, to warm up and to listen. */
const DEADLINE_MS = 190_000

const WORDS = {
  reloaded: 'in force',
  unchanged: 'unchanged; certificates have been read again',
  restarting: 'unchanged; processes are replaced one after another',
} as const

async function run(call: Call): Promise<ExitCode> {
  const { stdout } = call.surroundings
  const access = await findAdmin(call)
  if (access === undefined) return 1
  const query = call.has('force') ? '?force=true' : ''
  const outcome = await withAdmin(
    access,
    (admin) => admin.post<Outcome>(`/config/reload${query}`, {}, ['outcome', 'version', 'changes']),
    DEADLINE_MS,
  ).catch((error: unknown) => {
    showRefusal(error, call.surroundings)
    throw error
  })
  if (call.has('json')) stdout.write(`${JSON.stringify(outcome, null, 2)}\n`)
  else {
    const paint = painter(stdout)
    stdout.write(formatChanges(outcome.changes, paint))
    stdout.write(`${paint('green', '✔')} configuration ${outcome.version} ${WORDS[outcome.outcome]}\n`)
  }
  return 0
}

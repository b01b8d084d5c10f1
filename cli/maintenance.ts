import { withAdmin } from './admin.ts'
import { ADMIN_OPTIONS, findAdmin } from './admin-access.ts'
import type { Call, Command, ExitCode } from './command.ts'
import { UsageError } from './errors.ts'
import { type MissingProcess, warnOfMissing } from './missing-processes.ts'
import { painter } from './terminal.ts'

/** Shows or switches the maintenance of a running gateway. */
export const maintenance: Command = {
  name: 'maintenance',
  arguments: '[on|off] [ROUTE]',
  summary: 'Show maintenance, or answer all routes, or one, with 503 until it is off again',
  options: {
    json: { type: 'boolean', description: 'Print what the gateway answers as JSON: { gateway, routes, missing }' },
    ...ADMIN_OPTIONS,
  },
  // A key may have its methods apart.
  positionals: [0, 3],
  run,
}

interface Report {
  gateway: boolean
  routes: string[]
  missing: MissingProcess[]
}

const MEMBERS = ['gateway', 'routes', 'missing'] as const

async function run(call: Call): Promise<ExitCode> {
  const { stdout } = call.surroundings
  const change = changeOf(call.positionals)
  const access = await findAdmin(call)
  if (access === undefined) return 1
  const report = await withAdmin(access, (admin) =>
    change === undefined
      ? admin.get<Report>('/maintenance', MEMBERS)
      : admin.put<Report>('/maintenance', change, MEMBERS),
  )
  if (call.has('json')) {
    stdout.write(`${JSON.stringify(report, null, 2)}\n`)
    return 0
  }
  const paint = painter(stdout)
  const lines = inWords(report)
  for (const line of lines) stdout.write(`${paint('yellow', '●')} ${line}\n`)
  if (lines.length === 0) stdout.write(`${paint('green', '✔')} nothing is in maintenance\n`)
  warnOfMissing(report.missing, call.surroundings)
  return 0
}

/** @throws HR_CLI_USAGE */
function changeOf([word, ...rest]: readonly string[]): { enabled: boolean; route?: string } | undefined {
  if (word === undefined) return undefined
  if (word !== 'on' && word !== 'off') throw new UsageError(`maintenance is 'on' or 'off', not '${word}'`)
  const enabled = word === 'on'
  return rest.length === 0 ? { enabled } : { enabled, route: rest.join(' ') }
}

function inWords({ gateway, routes }: Report): string[] {
  return [...(gateway ? ['all routes are in maintenance'] : []), ...routes.map((route) => `${route} is in maintenance`)]
}

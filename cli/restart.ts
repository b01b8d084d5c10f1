import { setTimeout as wait } from 'node:timers/promises'
import type { ConfigReport } from '../services/configuration/report.ts'
import { type AdminClient, withAdmin } from './admin.ts'
import { ADMIN_OPTIONS, findAdmin } from './admin-access.ts'
import type { Call, Command, ExitCode } from './command.ts'
import { counted } from './counted.ts'
import { painter } from './terminal.ts'

/** Has a running gateway replace its processes, one after another. */
export const restart: Command = {
  name: 'restart',
  arguments: '',
  summary: 'Replace the processes of the running gateway, one after another, with the configuration that runs',
  options: {
    'no-wait': { type: 'boolean', description: 'Begin, and do not wait until it is done' },
    ...ADMIN_OPTIONS,
  },
  positionals: [0, 0],
  run,
}

const MEMBERS = ['operation', 'lastFailure'] as const
/** Between two looks. */
const LOOK_EVERY_MS = 250

async function run(call: Call): Promise<ExitCode> {
  const { stdout, stderr } = call.surroundings
  const access = await findAdmin(call)
  if (access === undefined) return 1
  const { begun, ended } = await withAdmin(access, async (admin) => {
    const first = await admin.post<ConfigReport>('/restart', {}, MEMBERS)
    return { begun: first, ended: call.has('no-wait') ? first : await finished(admin, first) }
  })
  const processes = counted(begun.operation?.total ?? 0, 'process', 'processes')
  const { lastFailure, operation } = ended
  if (operation === null && lastFailure !== null && lastFailure.at >= (begun.operation?.startedAt ?? 0)) {
    stderr.write(`${painter(stderr)('red', 'error')} ${lastFailure.message} (${lastFailure.code})\n`)
    return 1
  }
  const words = operation === null ? 'replaced' : 'are being replaced'
  stdout.write(`${painter(stdout)('green', '✔')} ${processes} ${words}\n`)
  return 0
}

async function finished(admin: AdminClient, begun: ConfigReport): Promise<ConfigReport> {
  let report = begun
  while (report.operation?.kind === 'restart') {
    await wait(LOOK_EVERY_MS)
    report = await admin.get<ConfigReport>('/config', MEMBERS)
  }
  return report
}

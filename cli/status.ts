import type { HealthReport } from '../services/monitor/health.ts'
import type { PoolReport } from '../services/monitor/pools.ts'
import { withAdmin } from './admin.ts'
import { ADMIN_OPTIONS, findAdmin } from './admin-access.ts'
import type { Call, Command, ExitCode } from './command.ts'
import { type ConfigState, formatStatus } from './status-text.ts'
import { painter } from './terminal.ts'

/** Says how a running gateway is: its exit code is 0 for a healthy one only. */
export const status: Command = {
  name: 'status',
  arguments: '',
  summary: 'Show how the running gateway is; exit code 0 when healthy',
  options: {
    ...ADMIN_OPTIONS,
    json: { type: 'boolean', description: 'Print what the gateway answers as JSON: { url, health, config, pools }' },
  },
  positionals: [0, 0],
  run,
}

async function run(call: Call): Promise<ExitCode> {
  const { stdout } = call.surroundings
  const access = await findAdmin(call)
  if (access === undefined) return 1
  const state = await withAdmin(access, async (admin) => {
    // One after the other: the first may try targets, and the second shows what came of it.
    const health = await admin.get<HealthReport>('/health', ['status', 'reasons', 'version', 'memory', 'processes'])
    const { pools } = await admin.get<{ pools: PoolReport[] }>('/pools', ['pools'])
    const report = await admin.get<ConfigState>('/config', ['version', 'loadedAt', 'source', 'lastFailure'])
    const { version, loadedAt, source, lastFailure } = report
    return { url: access.url, health, config: { version, loadedAt, source, lastFailure }, pools }
  })
  stdout.write(call.has('json') ? `${JSON.stringify(state, null, 2)}\n` : formatStatus(state, painter(stdout)))
  return state.health.status === 'healthy' ? 0 : 1
}

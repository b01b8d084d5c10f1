import { parseDuration } from '../services/options/units.ts'
import { withAdmin } from './admin.ts'
import { ADMIN_OPTIONS, findAdmin } from './admin-access.ts'
import type { Call, Command, ExitCode } from './command.ts'
import { UsageError } from './errors.ts'
import { painter } from './terminal.ts'

/** Reading keys takes its time where an issuer is slow. */
const DEADLINE_MS = 30_000

/** Takes tokens back that a running gateway would accept. */
export const token: Command = {
  name: 'token',
  arguments: 'revoke (token JTI | subject SUB) | refresh',
  summary: 'Refuse a token, or all of somebody; or read the keys of all issuers now',
  options: {
    for: {
      type: 'string',
      value: 'DURATION',
      description: 'How long it is refused: as long as such tokens last (24h)',
    },
    json: { type: 'boolean', description: 'Print what the gateway answers as JSON: { processes }' },
    ...ADMIN_OPTIONS,
  },
  positionals: [1, 3],
  run,
}

interface Applied {
  processes: number
}

async function run(call: Call): Promise<ExitCode> {
  const { stdout } = call.surroundings
  const { path, body, words } = wantedOf(call)
  const access = await findAdmin(call)
  if (access === undefined) return 1
  const answer = await withAdmin(access, (admin) => admin.post<Applied>(path, body, ['processes']), DEADLINE_MS)
  const processes = answer.processes === 1 ? 'in one process' : `in ${answer.processes} processes`
  if (call.has('json')) stdout.write(`${JSON.stringify(answer, null, 2)}\n`)
  else stdout.write(`${painter(stdout)('green', '✔')} ${words}, ${processes}\n`)
  return 0
}

/** @throws HR_CLI_USAGE */
function wantedOf(call: Call): { path: string; body: object; words: string } {
  const [what, kind, name] = call.positionals
  if (what === 'refresh' && kind === undefined) {
    return { path: '/tokens/refresh', body: {}, words: 'The keys of all issuers were read' }
  }
  if (what !== 'revoke' || (kind !== 'token' && kind !== 'subject') || name === undefined) {
    throw new UsageError("token takes 'revoke token JTI', 'revoke subject SUB' or 'refresh'")
  }
  const forMs = parseDuration(call.text('for') ?? '24h')
  if (forMs === undefined || forMs < 1_000) throw new UsageError("--for takes a duration such as '24h' or '30d'")
  const words = kind === 'token' ? `The token ${name} is refused` : `What ${name} had until now is refused`
  return { path: '/tokens/revoke', body: { kind, name, seconds: Math.ceil(forMs / 1_000) }, words }
}

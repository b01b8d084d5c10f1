import { formatProblems } from './problems.ts'
import { basename } from 'node:path'
import type { Call, Command, ExitCode } from './command.ts'
import { CONFIG_OPTION, load, OVERRIDES } from './configuration.ts'
import { painter } from './terminal.ts'

/** Validates the configuration, offline: no upstream is asked, nothing listens. */
export const check: Command = {
  name: 'check',
  arguments: '',
  summary: 'Validate the configuration, without starting anything',
  options: {
    ...CONFIG_OPTION,
    ...OVERRIDES,
    json: { type: 'boolean', description: 'Print the result as JSON: { ok, file, problems }' },
  },
  positionals: [0, 0],
  run,
}

async function run(call: Call): Promise<ExitCode> {
  const { stdout, stderr } = call.surroundings
  const loaded = await load(call)
  if (call.has('json')) {
    const problems = loaded.ok ? [] : loaded.problems
    stdout.write(`${JSON.stringify({ ok: loaded.ok, file: loaded.file, problems }, null, 2)}\n`)
    return loaded.ok ? 0 : 1
  }
  if (!loaded.ok) {
    stderr.write(formatProblems(loaded.problems, painter(stderr)))
    return 1
  }
  const { listen, upstreams, routes, file } = loaded.config
  const parts = [count(listen, 'listener'), count(upstreams, 'upstream'), count(routes, 'route')].join(', ')
  stdout.write(`${painter(stdout)('green', '✔')} ${basename(file ?? 'the configuration')} is valid: ${parts}\n`)
  return 0
}

function count(list: readonly unknown[], noun: string): string {
  return `${list.length} ${noun}${list.length === 1 ? '' : 's'}`
}

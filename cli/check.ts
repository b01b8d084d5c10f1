import { METHODS } from 'node:http'
import { basename } from 'node:path'
import type { Config } from '../config/config.ts'
import { formatPath } from '../config/problem.ts'
import { closest } from '../config/suggest.ts'
import type { ConfigProblem } from '../services/configuration/report.ts'
import type { GatewayError } from '../services/http/problem.ts'
import { checkCertificates } from '../services/listener/tls.ts'
import { documentFaults } from '../services/openapi/document-files.ts'
import { parseRouteKey } from '../services/routing/pattern.ts'
import type { Call, Command, ExitCode } from './command.ts'
import { CONFIG_OPTION, load, OVERRIDES } from './configuration.ts'
import { counted } from './counted.ts'
import { formatProblems } from './problems.ts'
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
  const problems = loaded.ok ? await problemsOfFiles(loaded.config) : loaded.problems
  const ok = problems.length === 0
  if (call.has('json')) {
    stdout.write(`${JSON.stringify({ ok, file: loaded.file, problems }, null, 2)}\n`)
    return ok ? 0 : 1
  }
  if (!loaded.ok || !ok) {
    stderr.write(formatProblems(problems, painter(stderr)))
    return 1
  }
  const { listen, upstreams, routes, file } = loaded.config
  const parts = [
    counted(listen.length, 'listener'),
    counted(upstreams.length, 'upstream'),
    counted(routes.length, 'route'),
  ].join(', ')
  const paint = painter(stdout)
  stdout.write(`${paint('green', '✔')} ${basename(file ?? 'the configuration')} is valid: ${parts}\n`)
  for (const note of notesOn(loaded.config)) stdout.write(`  ${paint('yellow', 'note')} ${note}\n`)
  return 0
}

/** What could not be put into force, though the configuration itself is as it should be. */
async function problemsOfFiles(config: Config): Promise<ConfigProblem[]> {
  const documents = (await documentFaults(config)).map(({ route, part, error }) =>
    problemOf(error as GatewayError, formatPath(['routes', route, part]), config),
  )
  try {
    await checkCertificates(config.listen)
    return documents
  } catch (error) {
    if (!(error as GatewayError).code.startsWith('HR_TLS_')) throw error
    return [problemOf(error as GatewayError, 'listen', config), ...documents]
  }
}

function problemOf({ code, message }: GatewayError, path: string, { file }: Config): ConfigProblem {
  const source = file === null ? null : basename(file)
  return { code, message, path, suggestion: null, source, line: null, column: null, excerpt: null }
}

/** What is valid, and seldom meant. */
function notesOn({ routes }: Config): string[] {
  if (routes.length === 0) return ["there are no routes: everything but the gateway's own pages is answered 404"]
  return routes.flatMap(({ key }) => {
    const { host, path, methods } = parseRouteKey(key)
    const unknown = (methods ?? []).filter((method) => !METHODS.includes(method))
    if (unknown.length > 0) {
      const meant = closest(unknown[0] as string, METHODS)
      const hint = meant === undefined ? '' : `; did you mean ${meant}?`
      return [`the route '${key}' names a method that no HTTP/1.1 client can send here, ${unknown.join(', ')}${hint}`]
    }
    if (host.kind !== 'exact' || host.name.includes('.') || host.name === 'localhost') return []
    return [
      `the route '${key}' takes the host '${host.name}' alone: a path begins with a slash, '/${host.name}${path}'`,
    ]
  })
}

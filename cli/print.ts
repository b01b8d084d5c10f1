import { stringify } from 'yaml'
import { editorSchema } from '../config/json-schema.ts'
import { redact } from '../config/redact.ts'
import type { Settings } from '../config/schema.ts'
import { effectiveRouteCache } from '../services/cache/options.ts'
import type { Call, Command, ExitCode } from './command.ts'
import { CONFIG_OPTION, load, OVERRIDES } from './configuration.ts'
import { formatProblems } from './problems.ts'
import { painter } from './terminal.ts'

/** Shows the configuration in force: itself one that could be used, with secrets left out. */
export const print: Command = {
  name: 'print',
  arguments: '',
  summary: 'Show the configuration in force, secrets redacted; or the JSON Schema',
  options: {
    ...CONFIG_OPTION,
    ...OVERRIDES,
    json: { type: 'boolean', description: 'JSON instead of YAML' },
    schema: { type: 'boolean', description: 'The JSON Schema of configurations, for editors' },
  },
  positionals: [0, 0],
  run,
}

async function run(call: Call): Promise<ExitCode> {
  const { stdout, stderr } = call.surroundings
  if (call.has('schema')) {
    stdout.write(`${JSON.stringify(editorSchema(), null, 2)}\n`)
    return 0
  }
  const loaded = await load(call)
  if (!loaded.ok) {
    stderr.write(formatProblems(loaded.problems, painter(stderr)))
    return 1
  }
  const settings = escaped(redact(withPolicies(loaded.settings)))
  stdout.write(call.has('json') ? `${JSON.stringify(settings, null, 2)}\n` : stringify(settings))
  return 0
}

/** Each route's cache with all that it comes to: what it takes from the common `cache`, too. */
function withPolicies(settings: Settings): Settings {
  const routes = Object.entries(settings.routes).map(([key, route]) => {
    return [key, { ...route, cache: effectiveRouteCache(route.cache, settings.cache) }]
  })
  return { ...settings, routes: Object.fromEntries(routes) as Settings['routes'] }
}

/** Text with `${` in it would be read as a variable when what is printed is loaded again. */
function escaped(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('${', () => '$${')
  if (Array.isArray(value)) return value.map(escaped)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, escaped(part)]))
}

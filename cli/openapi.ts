import { stringify } from 'yaml'
import type { Config } from '../config/config.ts'
import type { JsonObject } from '../services/openapi/document.ts'
import { VERSION } from '../server/version.ts'
import type { Call, Command, ExitCode } from './command.ts'
import { CONFIG_OPTION, loadValid } from './configuration.ts'
import { painter } from './terminal.ts'

/** After these a specification is missing from the document. */
const MISSING = new Set(['HR_OPENAPI_UNAVAILABLE', 'HR_OPENAPI_INVALID', 'HR_OPENAPI_VERSION_UNSUPPORTED'])

/** Prints the OpenAPI document that the gateway would serve. It asks the upstreams for theirs. */
export const openapi: Command = {
  name: 'openapi',
  arguments: '',
  summary: 'Print the merged OpenAPI document of all upstreams',
  options: { ...CONFIG_OPTION, yaml: { type: 'boolean', description: 'YAML instead of JSON' } },
  positionals: [0, 0],
  run,
}

async function run(call: Call): Promise<ExitCode> {
  const { stdout, stderr } = call.surroundings
  const config = await loadValid(call)
  if (config === undefined) return 1
  const { buildDocument } = await import('../services/openapi/build.ts')
  const { Upstreams } = await import('../services/upstream/upstreams.ts')
  const upstreams = new Upstreams(config.upstreams)
  try {
    await upstreams.start()
    const { docs, openapi: openapiPath } = config.endpoints
    const { document, warnings } = await buildDocument({
      gateway: await ownDocument(config),
      upstreams: config.upstreams,
      routes: config.routes,
      reserved: [...(docs === false ? [] : [`${docs}/*`]), ...(openapiPath === false ? [] : [openapiPath])],
      request: (name, path, signal) => upstreams.request(name, path, signal),
    })
    const paint = painter(stderr)
    for (const { code, upstream, message } of warnings) {
      stderr.write(`${paint('yellow', 'warning')} upstream '${upstream}': ${message} ${paint('dim', code)}\n`)
    }
    stdout.write(call.has('yaml') ? stringify(document) : `${JSON.stringify(document, null, 2)}\n`)
    return warnings.some(({ code }) => MISSING.has(code)) ? 1 : 0
  } finally {
    await upstreams.close()
  }
}

/** The part of the document that a gateway without upstreams has: its own endpoints. Nothing listens for it. */
async function ownDocument(config: Config): Promise<JsonObject> {
  const { buildGateway } = await import('../app.ts')
  const { LocalControl } = await import('../services/control/local.ts')
  const { pino } = await import('pino')
  const control = new LocalControl()
  const path = config.endpoints.openapi === false ? '/openapi.json' : config.endpoints.openapi
  const { app } = await buildGateway(
    { ...config, upstreams: [], routes: [], endpoints: { ...config.endpoints, openapi: path } },
    {
      log: pino({ level: 'silent' }),
      version: VERSION,
      control,
      local: control,
      token: '',
      draining: () => false,
      finished: [],
      sources: [],
    },
  )
  try {
    const { body } = await app.inject({ url: path, headers: { host: 'localhost' } })
    return JSON.parse(body) as JsonObject
  } finally {
    await app.close()
  }
}

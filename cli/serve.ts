import type { Config } from '../config/config.ts'
import type { Running } from '../server.ts'
import { VERSION } from '../server/version.ts'
import { type BannerAddress, renderBanner, takesColour } from '../services/log/banner.ts'
import type { Call, Command, ExitCode } from './command.ts'
import { CONFIG_OPTION, loadValid, OVERRIDES } from './configuration.ts'
import type { Surroundings } from './terminal.ts'

/** Runs the gateway of a configuration until a signal ends it. */
export const serve: Command = {
  name: 'serve',
  arguments: '',
  summary: 'Run the gateway of the configuration',
  options: { ...CONFIG_OPTION, ...OVERRIDES },
  positionals: [0, 0],
  async run(call) {
    const config = await loadValid(call)
    return config === undefined ? 1 : await runGateway(config, call)
  },
}

/** Serves until everything is closed. @throws HR_LISTENER_*, HR_TLS_*, HR_CONTROL_* */
export async function runGateway(config: Config, { surroundings }: Call): Promise<ExitCode> {
  const { serve: start } = await import('../server.ts')
  const running = await start(config, { signals: true })
  surroundings.stderr.write(banner(config, running, surroundings))
  await running.closed
  return 0
}

/** On standard error: standard output belongs to the log. */
function banner(config: Config, running: Running, { stderr }: Surroundings): string {
  const addresses: BannerAddress[] = running.addresses
  const main = addresses.find(({ kind }) => kind === 'public')
  const { docs } = config.endpoints
  const isTerminal = stderr.isTTY === true
  if (!isTerminal) {
    return addresses
      .map(({ kind, url, protocols }) => `${kind} listener on ${url} (${protocols.join(', ')})\n`)
      .join('')
  }
  const admin = addresses.find(({ kind }) => kind === 'admin') ?? main
  const health = `${admin?.url}${config.endpoints.performance || ''}/health`
  const bearer = running.tokenGenerated ? `-H 'authorization: Bearer ${running.token}' ` : ''
  return renderBanner(
    {
      title: `Headrace ${VERSION}`,
      addresses,
      docs: main === undefined || docs === false ? null : main.url + docs,
      off: [],
      commands:
        bearer === '' || config.endpoints.performance === false
          ? []
          : [{ purpose: 'the health of the gateway, with its generated token', command: `curl ${bearer}${health}` }],
    },
    takesColour(stderr as NodeJS.WriteStream),
  )
}

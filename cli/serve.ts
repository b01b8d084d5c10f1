import type { Config } from '../config/config.ts'
import type { Running } from '../server.ts'
import { reachable } from '../server/address.ts'
import type { ConfigSource } from '../server/configuration.ts'
import { VERSION } from '../server/version.ts'
import { announce, type Announcement } from '../services/log/announce.ts'
import { type Banner, renderBanner } from '../services/log/banner.ts'
import type { Call, Command, ExitCode } from './command.ts'
import { CONFIG_OPTION, loadSource, OVERRIDES } from './configuration.ts'

/** Runs the gateway of a configuration until a signal ends it. */
export const serve: Command = {
  name: 'serve',
  arguments: '',
  summary: 'Run the gateway of the configuration',
  options: {
    ...CONFIG_OPTION,
    ...OVERRIDES,
    watch: { type: 'boolean', description: 'Reload when the configuration file changes, or one that it names' },
  },
  positionals: [0, 0],
  async run(call) {
    const source = await loadSource(call)
    return source === undefined ? 1 : await runGateway(source, call)
  },
}

/** Serves until everything is closed. @throws HR_LISTENER_*, HR_TLS_*, HR_CONTROL_* */
export async function runGateway(source: ConfigSource, { surroundings }: Call): Promise<ExitCode> {
  const { serve: start } = await import('../server.ts')
  const { config } = source.loaded
  const running = await start(config, { signals: true, source })
  announce(started(config, running), { log: running.log, ...surroundings })
  await running.closed
  return 0
}

function started(config: Config, running: Running): Announcement {
  const { addresses } = running
  const main = addresses.find(({ kind }) => kind === 'public')
  const docs =
    main === undefined || config.endpoints.docs === false ? null : reachable(main.url) + config.endpoints.docs
  return {
    message: 'Listening',
    fields: { version: VERSION, addresses, docs },
    text: (colour) =>
      renderBanner(
        { title: `Headrace ${VERSION}`, addresses, docs, off: [], commands: commandsToTry(config, running) },
        colour,
      ),
  }
}

/** With the generated token, which is shown on terminals alone. */
function commandsToTry({ endpoints }: Config, { addresses, token, tokenGenerated }: Running): Banner['commands'] {
  if (!tokenGenerated || endpoints.performance === false) return []
  const admin = addresses.find(({ kind }) => kind === 'admin') ?? addresses.find(({ kind }) => kind === 'public')
  const command = `curl -H 'authorization: Bearer ${token}' ${reachable(admin?.url ?? '')}${endpoints.performance}/health`
  return [{ purpose: 'the health of the gateway, with its generated token', command }]
}

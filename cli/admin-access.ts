import { existsSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Config } from '../config/config.ts'
import { CONFIG_FILES } from '../config/find.ts'
import { readAdminAddress, readToken } from '../services/control/token.ts'
import type { Call, Option } from './command.ts'
import { CONFIG_OPTION, loadValid } from './configuration.ts'
import { GatewayUnknownError, TokenUnknownError, UsageError } from './errors.ts'
import { painter } from './terminal.ts'

/** Options of the commands that speak to a running gateway. */
export const ADMIN_OPTIONS: Readonly<Record<string, Option>> = {
  ...CONFIG_OPTION,
  admin: {
    type: 'string',
    value: 'URL',
    description: 'Address of the control plane; default: the one left in dataDir',
  },
  token: {
    type: 'string',
    value: 'T',
    description: 'Admin token; default: the configured one (HEADRACE_ADMIN_TOKEN), or the one in dataDir',
  },
}

/** Where a running gateway is, and how to be let in. */
export interface AdminAccess {
  /** Without a slash at its end: `http://127.0.0.1:9090`. */
  url: string
  /** What says so, for messages: `--admin`, or a file. */
  urlFrom: string
  token: string
  tokenFrom: string
  /** The development certificate, which a shared control plane may have; null where there is none. */
  certificate: string | null
}

/**
 * The gateway that a command speaks to: `--admin` and `--token`, and for what is not given the configuration and what the
 * gateway has left in its `dataDir`. Given both, no configuration is needed.
 *
 * @returns `undefined` for an invalid configuration, with its problems on standard error
 * @throws HR_CLI_USAGE, HR_CLI_GATEWAY_UNKNOWN, HR_CLI_TOKEN_UNKNOWN, HR_CONTROL_DATA_DIR
 */
export async function findAdmin(call: Call): Promise<AdminAccess | undefined> {
  const [admin, token] = [call.text('admin'), call.text('token')]
  const named = admin === undefined ? undefined : { url: parseAddress(admin), urlFrom: '--admin' }
  if (token !== undefined && !isBearer(token)) throw new UsageError('--token is no token: it has blanks or is empty')
  const given = token === undefined ? undefined : { token, tokenFrom: '--token' }
  if (named && given) return { ...named, ...given, certificate: null }

  const config = await configurationOf(call)
  if (config === undefined) return undefined
  const { cwd } = call.surroundings
  return {
    ...(named ?? addressOf(config, cwd)),
    ...(given ?? tokenOf(config, cwd)),
    certificate: certificateOf(config),
  }
}

/** The file's, or without one that of `headrace <url>`, which has none. */
async function configurationOf(call: Call): Promise<Config | undefined> {
  const { cwd, stderr } = call.surroundings
  const isBare = call.text('config') === undefined && CONFIG_FILES.every((name) => !existsSync(join(cwd, name)))
  const config = await loadValid(call, isBare ? {} : undefined)
  const hint = 'A running gateway can be asked without its configuration: give both --admin and --token.'
  if (config === undefined) stderr.write(`${painter(stderr)('dim', hint)}\n`)
  return config
}

/** @throws HR_CLI_USAGE */
function parseAddress(text: string): string {
  const address = /^\d+$/.test(text) ? `localhost:${text}` : text.replace(/^:/, 'localhost:')
  const url = /^[a-z][a-z+.-]*:\/\//i.test(address) ? address : `http://${address}`
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) {
    throw new UsageError(`'${text}' is no address: write --admin http://127.0.0.1:9090, say`)
  }
  const { origin, pathname } = new URL(url)
  return connectable(origin + pathname.replace(/\/+$/, ''))
}

/** An address that is bound, as one that can be connected to on every system, and that certificates name. */
function connectable(url: string): string {
  return url.replace(/^(https?:\/\/)(0\.0\.0\.0|\[::\])(?=[:/]|$)/, (_all, scheme: string, host: string) => {
    return scheme + (host === '[::]' ? '[::1]' : '127.0.0.1')
  })
}

function addressOf(config: Config, cwd: string): Pick<AdminAccess, 'url' | 'urlFrom'> {
  const off = config.admin === null ? 'admin' : config.endpoints.performance === false ? 'endpoints.performance' : null
  if (off !== null) {
    throw new GatewayUnknownError(
      `The configuration switches off what this command speaks to (${off}: false). Remove that and restart the gateway, or name another one with --admin.`,
    )
  }
  const url = readAdminAddress(config.dataDir)
  const folder = shown(config.dataDir, cwd)
  if (url === null) {
    throw new GatewayUnknownError(
      `No gateway runs here: there is no ${join(folder, 'admin-address')}. Start one with headrace serve, name its configuration with --config, or its control plane with --admin and --token.`,
    )
  }
  return { url: connectable(url), urlFrom: join(folder, 'admin-address') }
}

function tokenOf(config: Config, cwd: string): Pick<AdminAccess, 'token' | 'tokenFrom'> {
  const configured = config.admin?.token ?? ''
  const file = join(shown(config.dataDir, cwd), 'admin-token')
  const token = configured === '' ? readToken(config.dataDir) : configured
  const tokenFrom = configured === '' ? file : 'the configuration or HEADRACE_ADMIN_TOKEN'
  if (token === null) {
    throw new TokenUnknownError(
      `There is no admin token: none is configured, and there is no ${file}. Give it with --token, or in HEADRACE_ADMIN_TOKEN.`,
    )
  }
  if (!isBearer(token)) {
    throw new TokenUnknownError(
      `The admin token of ${tokenFrom} cannot be sent: it may have no blanks, and ASCII only.`,
    )
  }
  return { token, tokenFrom }
}

/** What a header carries as one word; the gateway splits at blanks. */
function isBearer(token: string): boolean {
  return /^[\x21-\x7e]+$/.test(token)
}

function certificateOf({ dataDir }: Config): string | null {
  const file = join(dataDir, 'development.crt')
  return existsSync(file) ? readFileSync(file, 'utf8') : null
}

function shown(folder: string, cwd: string): string {
  const short = relative(cwd, folder)
  return short === '' || short.startsWith('..') ? folder : short
}

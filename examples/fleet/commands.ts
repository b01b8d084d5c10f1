import { join, relative } from 'node:path'
import type { Config } from '../../config/config.ts'
import type { Running } from '../../server.ts'
import { reachable } from '../../server/address.ts'

/** A command that works as it is when pasted into a shell, and what it shows. */
export interface Command {
  purpose: string
  command: string
}

export interface Circumstances {
  config: Config
  running: Pick<Running, 'addresses' | 'tokenGenerated' | 'token'>
  /** The fleet API is mounted at `/api`: the example's own configuration is in use. */
  fleet: boolean
  /** The banner goes to a terminal: only there a generated token may be shown. */
  terminal: boolean
  /** Folder that the commands will be pasted in. */
  cwd: string
}

/** What to try first. Commands for what is not served (no TLS, no control plane, another configuration) are left out. */
export function commandsToTry(circumstances: Circumstances): Command[] {
  const { config, running, fleet } = circumstances
  const { health, performance } = config.endpoints
  const addresses = running.addresses.map((address) => ({ ...address, url: reachable(address.url) }))
  const own = addresses.filter(({ kind }) => kind === 'public')
  const plain = (own.find(({ url }) => url.startsWith('http:')) ?? own[0])?.url
  const http2 = own.find(({ protocols }) => protocols.includes('h2'))?.url
  const admin = addresses.find(({ kind }) => kind === 'admin')?.url ?? plain
  const curl = (url: string, ...options: string[]): string =>
    ['curl', ...(url.startsWith('https:') ? ['-k'] : []), ...options, /[?&]/.test(url) ? `'${url}'` : url].join(' ')

  const commands: Command[] = []
  const add = (purpose: string, command: string): number => commands.push({ purpose, command })
  if (fleet)
    add(
      'a list from the cache: from the second time on, Cache-Status says hit',
      curl(`${plain}/api/vehicles?limit=3`, '-i'),
    )
  if (health !== false) add('is it alive?', curl(`${plain}${health}`))
  if (performance !== false && config.admin !== null) {
    add('how it is doing', curl(`${admin}${performance}/health`, `-H "Authorization: Bearer ${bearer(circumstances)}"`))
  }
  if (http2 !== undefined) {
    add(
      'over HTTP/2, with a certificate made for development',
      curl(`${http2}${fleet ? '/api/vehicles/7' : '/'}`, '-i', '--http2'),
    )
  }
  if (fleet) add('the upstream cuts the connection: 502', curl(`${plain}/api/chaos/reset`, '-i'))
  return commands
}

/** The token, or, where it must not be written, what the shell finds it with. */
function bearer({ config, running, terminal, cwd }: Circumstances): string {
  if (!running.tokenGenerated) return '$HEADRACE_ADMIN_TOKEN'
  return terminal ? running.token : `$(cat '${relative(cwd, join(config.dataDir, 'admin-token'))}')`
}

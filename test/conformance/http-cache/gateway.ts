import { resolveConfig } from '../../../config/resolve.ts'
import { serve } from '../../../server.ts'
import type { Profile } from './differences.ts'

export interface RunningGateway {
  url: URL
  close(): Promise<void>
}

/** Starts the real server in this process, with one cached route to an origin on this port. */
export async function startGateway(profile: Profile, originPort: number): Promise<RunningGateway> {
  const config = resolveConfig({
    listen: { port: 0, host: '127.0.0.1' },
    admin: false,
    log: { level: 'silent' },
    drainTimeout: '0s',
    upstreams: { origin: { targets: [`http://127.0.0.1:${originPort}`] } },
    routes: { '/*': { to: 'origin', cache: { profile, methods: ['QUERY', 'POST'] } } },
  })
  const running = await serve(config)
  const address = running.addresses.find(({ kind }) => kind === 'public')
  return { url: new URL(address?.url ?? ''), close: () => running.close() }
}

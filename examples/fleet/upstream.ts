import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buildFleet, type FleetOptions } from './app.ts'

export interface RunningFleet {
  /** Without a trailing slash: `http://127.0.0.1:41234` */
  url: string
  /** The same API at another address, as a second instance of it would be. */
  secondUrl: string
  /** Ends the streams, cuts what is left and frees the ports. */
  close(): Promise<void>
}

export interface FleetListenOptions extends FleetOptions {
  /** 0 (the default) asks the system for a free one. */
  port?: number
  host?: string
}

/** Starts the fleet API; it is ready for requests when this resolves. */
export async function startFleet(options: FleetListenOptions = {}): Promise<RunningFleet> {
  const { port = 0, host = '127.0.0.1', ...fleet } = options
  const app = await buildFleet(fleet)
  const url = await app.listen({ port, host })
  const second = createServer((request, response) => app.routing(request, response)).listen(0, host)
  await once(second, 'listening')
  const { port: secondPort } = second.address() as AddressInfo
  return {
    url,
    secondUrl: `http://${host}:${secondPort}`,
    async close() {
      await Promise.all([app.close(), closed(second)])
    },
  }
}

async function closed(server: Server): Promise<void> {
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
}

import { buildFleet, type FleetOptions } from './app.ts'

export interface RunningFleet {
  /** Without a trailing slash: `http://127.0.0.1:41234` */
  url: string
  /** Ends the streams, cuts what is left and frees the port. */
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
  return { url, close: () => app.close() }
}

import type { AddressInfo, Server } from 'node:net'
import { AddressError, ListenError, PortForbiddenError, PortInUseError } from './errors.ts'

/** Connections that the kernel holds for us while the event loop is busy; the system's own limit may be lower. */
const BACKLOG = 4_096

export interface BindOptions {
  host: string
  port: number
  /** What chooses the port, as the error that it is taken should name it. */
  setting: string
}

/**
 * Binds a server.
 *
 * @throws {PortInUseError} EADDRINUSE
 * @throws {PortForbiddenError} EACCES, EPERM
 * @throws {AddressError} EADDRNOTAVAIL, or a host that does not resolve
 * @throws {ListenError} anything else
 */
export function bind(server: Server, { host, port, setting }: BindOptions): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    const onError = (cause: NodeJS.ErrnoException): void => reject(explain(cause, { host, port, setting }))
    server.once('error', onError)
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.off('error', onError)
      resolve(server.address() as AddressInfo)
    })
  })
}

function explain(cause: NodeJS.ErrnoException, { host, port, setting }: BindOptions): Error {
  switch (cause.code) {
    case 'EADDRINUSE':
      return new PortInUseError(`${port} on ${host}`, setting, { cause })
    case 'EACCES':
    case 'EPERM':
      return new PortForbiddenError(port, host, { cause })
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new AddressError(host, { cause })
    default:
      return new ListenError(`${host} port ${port}`, cause.code ?? cause.message, { cause })
  }
}

import type { Path } from '../problem.ts'
import type { CheckContext } from './context.ts'

/** No two listeners on one address; no options that contradict each other. */
export function checkListeners({ settings, report }: CheckContext): void {
  if (report.touches('listen')) return
  const isList = Array.isArray(settings.listen)
  const listeners = Array.isArray(settings.listen) ? settings.listen : [settings.listen]
  const at = (index: number, ...rest: string[]): Path => ['listen', ...(isList ? [index] : []), ...rest]
  const hasHttps = listeners.some((listener) => listener.tls !== undefined && listener.redirect === undefined)
  const bound: { host: string; port: number; name: string }[] = []
  listeners.forEach((listener, index) => {
    if (listener.h2c && listener.tls !== undefined) {
      const message = 'h2c is HTTP/2 in cleartext: with tls, http2 offers HTTP/2 by ALPN'
      report.add('HR_CONFIG_LISTENER_INVALID', at(index, 'h2c'), message)
    }
    if (listener.redirect !== undefined && listener.tls !== undefined) {
      const message = 'this listener speaks https already: redirect belongs to one without tls'
      report.add('HR_CONFIG_LISTENER_INVALID', at(index, 'redirect'), message)
    } else if (listener.redirect !== undefined && !hasHttps) {
      const message = "there is no listener with tls to redirect to: add one to 'listen'"
      report.add('HR_CONFIG_LISTENER_INVALID', at(index, 'redirect'), message)
    }
    if (listener.clientCertificates !== undefined && listener.tls === undefined) {
      const message = 'clients show certificates over TLS: add tls to this listener, or leave it out'
      report.add('HR_CONFIG_LISTENER_INVALID', at(index, 'clientCertificates'), message)
    }
    const rival = bound.find((other) => collide(other, listener))
    if (rival) {
      const message = `port ${listener.port} is taken by ${rival.name} already`
      report.add('HR_CONFIG_LISTENER_CONFLICT', at(index, 'port'), message)
    }
    bound.push({ ...listener, name: isList ? `listen[${index}]` : 'listen' })
  })
  const { admin } = settings
  if (admin === false || admin.shared || report.touches('admin')) return
  const rival = bound.find((other) => collide(other, admin))
  if (!rival) return
  const message = `port ${admin.port} is taken by ${rival.name}: choose another, or share the listener with admin: { shared: true }`
  report.add('HR_CONFIG_LISTENER_CONFLICT', ['admin', 'port'], message)
}

const WILDCARDS = new Set(['0.0.0.0', '::', '', '*'])
const LOOPBACK = new Set(['localhost', '127.0.0.1'])

function collide(a: { host: string; port: number }, b: { host: string; port: number }): boolean {
  if (a.port === 0 || a.port !== b.port) return false
  if (WILDCARDS.has(a.host) || WILDCARDS.has(b.host)) return true
  return a.host === b.host || (LOOPBACK.has(a.host) && LOOPBACK.has(b.host))
}

import { isIPv4, isIPv6 } from 'node:net'
import { resolveRouteAccess } from '../../services/access/route/options.ts'
import { targetFault } from '../../services/upstream/balance/options.ts'
import type { RouteInput } from '../../services/routing/options.ts'
import { closest } from '../suggest.ts'
import type { Path } from '../problem.ts'
import type { CheckContext } from './context.ts'

/** Targets are origins; what routes name exists; what goes by consumer has some. */
export function checkUpstreams({ settings, names, report }: CheckContext): void {
  for (const [name, upstream] of Object.entries(settings.upstreams)) {
    upstream.targets.forEach((target, index) => {
      const path = ['upstreams', name, 'targets', index, ...(typeof target === 'string' ? [] : ['url'])]
      const fault = targetFault(typeof target === 'string' ? target : target.url)
      if (fault) report.add('HR_CONFIG_TARGET', path, fault.message, { suggestion: fault.suggestion })
    })
    upstream.nameServers.forEach((server, index) => {
      if (isSocketAddress(server)) return
      const message = `${server} is no address of a name server: write '10.0.0.2', '10.0.0.2:8600' or '[fd00::2]:8600'`
      report.add('HR_CONFIG_VALUE', ['upstreams', name, 'nameServers', index], message)
    })
    const { tls, health } = upstream
    if (health && health.path === undefined && health.preset === undefined) {
      const message = "a health check needs the 'path' to ask for, or the 'preset' of a well-known service"
      report.add('HR_CONFIG_MISSING', ['upstreams', name, 'health'], message)
    }
    if (tls && (tls.cert === undefined) !== (tls.key === undefined)) {
      const message = `a client certificate needs both: '${tls.cert === undefined ? 'cert' : 'key'}' is missing`
      report.add('HR_CONFIG_MISSING', ['upstreams', name, 'tls'], message)
    }
    if (typeof upstream.balance === 'object' && upstream.balance.hash === 'consumer' && !isAsked(name, settings)) {
      const message = "no route to it asks anybody who they are: add 'access' to one, or balance by 'client'"
      report.add('HR_CONFIG_VALUE', ['upstreams', name, 'balance', 'hash'], message)
    }
  }
  for (const [key, { to, mirror }] of Object.entries(settings.routes)) {
    if (mirror !== undefined) checkKnown(mirror.to, ['routes', key, 'mirror', 'to'], { names, report })
    for (const { name, path } of upstreamsOf(to)) checkKnown(name, ['routes', key, 'to', ...path], { names, report })
  }
}

/** Whether a route to an upstream knows its callers. One that nothing leads to is told of elsewhere, or meant for later. */
function isAsked(upstream: string, { routes }: CheckContext['settings']): boolean {
  const leading = Object.values(routes).filter(
    ({ to, mirror }) => mirror?.to === upstream || upstreamsOf(to).some(({ name }) => name === upstream),
  )
  return leading.length === 0 || leading.some(({ access }) => (resolveRouteAccess(access)?.by.length ?? 0) > 0)
}

/** The upstreams that a route sends to, each with its place in `to`. */
function upstreamsOf(to: RouteInput['to']): { name: string; path: Path }[] {
  if (to === undefined) return []
  if (typeof to === 'string') return [{ name: to, path: [] }]
  return Object.keys(to.split).map((name) => ({ name, path: ['split', name] }))
}

function checkKnown(name: string, path: Path, { names, report }: Pick<CheckContext, 'names' | 'report'>): void {
  if (names.upstreams.includes(name)) return
  const known = names.upstreams.length === 0 ? 'there are none' : `there is ${names.upstreams.join(', ')}`
  report.add('HR_CONFIG_TARGET_UNKNOWN', path, `no upstream is named '${name}'; ${known}`, {
    suggestion: closest(name, names.upstreams),
    at: path.includes('split') ? 'key' : 'value',
  })
}

/** Of what looks like one: its numbers are within their bounds. */
function isSocketAddress(text: string): boolean {
  const [, six, four, port = '53'] = /^(?:\[(.*)\]|([\d.]*))(?::(\d+))?$/.exec(text) ?? []
  return (isIPv6(six ?? '') || isIPv4(four ?? '')) && Number(port) >= 1 && Number(port) <= 65_535
}

import { type AccessInput, faultOfFailureLimit, faultsOfProviders } from '../../services/access/options.ts'
import { contradictionIn, resolveRouteAccess, type RouteAccessOptions } from '../../services/access/route/options.ts'
import { closest } from '../suggest.ts'
import type { Path } from '../problem.ts'
import type { CheckContext, Say } from './context.ts'

/** What routes ask of their callers is set up, and can be had. */
export function checkAccess({ settings, report }: CheckContext): void {
  const { access: shared } = settings
  const ways = waysOf(shared)
  for (const [key, { access: given, cache }] of Object.entries(settings.routes)) {
    if (report.touches('routes', key, 'access')) continue
    const access = resolveRouteAccess(given)
    const say: Say = (path, message, suggestion) => {
      report.add('HR_CONFIG_ROUTE_OPTION', ['routes', key, ...path], message, { suggestion })
    }
    if (access !== null) {
      checkWays(access, { ways, list: Array.isArray(given) ? ['access'] : ['access', 'by'], say })
      const contradiction = contradictionIn(access)
      if (contradiction !== undefined) {
        const { part, fault } = contradiction
        say(part === null ? ['access'] : ['access', part], fault)
      }
    }
    if (typeof cache === 'object') checkVaryBy(access, cache.varyBy, say)
  }
  if (report.touches('access')) return
  const fault = faultOfFailureLimit(shared)
  if (fault !== undefined) report.add('HR_CONFIG_VALUE', ['access', 'failureLimit'], fault)
  checkFieldNames(shared, report)
  checkProviders(shared, report)
}

/** Every way that is set up. */
function waysOf({ jwt, oidc, forward }: AccessInput): string[] {
  const named = (kind: string, of: object): string[] => Object.keys(of).map((name) => `${kind}:${name}`)
  return ['key', 'basic', 'hmac', 'mtls', ...named('jwt', jwt), ...named('oidc', oidc), ...named('forward', forward)]
}

function checkWays(access: RouteAccessOptions, { ways, list, say }: { ways: string[]; list: Path; say: Say }): void {
  access.by.forEach((way, index) => {
    if (!ways.includes(way)) {
      say(list, `'${way}' is not set up in access: there is ${ways.join(', ')}`, closest(way, ways))
    } else if (access.by.indexOf(way) < index) say(list, `'${way}' is listed already`)
  })
}

function checkVaryBy(
  access: RouteAccessOptions | null,
  { consumer, claims }: { consumer: boolean; claims: string[] },
  say: Say,
): void {
  const path = ['cache', 'varyBy', consumer ? 'consumer' : 'claims']
  if (!consumer && claims.length === 0) return
  if (access === null || access.by.length === 0) say(path, "nobody is asked who they are: add 'access' to the route")
  else if (!access.public)
    say(path, 'every caller has entries of their own already: it is for routes with access.public')
}

function checkFieldNames({ keys, identity }: AccessInput, report: CheckContext['report']): void {
  const names = Object.entries({ 'keys.header': keys.header, ...identity })
  const taken = new Map<string, string>()
  for (const [place, name] of names) {
    const path = ['access', ...(place.includes('.') ? place.split('.') : ['identity', place])]
    const other = taken.get(name.toLowerCase())
    if (other !== undefined) report.add('HR_CONFIG_VALUE', path, `'${name}' is the field of ${other} already`)
    else if (WRITTEN.has(name.toLowerCase())) {
      report.add('HR_CONFIG_VALUE', path, `'${name}' has a meaning of its own: choose a name like x-consumer-id`)
    }
    taken.set(name.toLowerCase(), place)
  }
}

/** Keys and logins can be trusted. */
function checkProviders(access: AccessInput, report: CheckContext['report']): void {
  for (const { path, fault } of faultsOfProviders(access)) report.add('HR_CONFIG_VALUE', ['access', ...path], fault)
}

/** What the protocol or the gateway reads, or writes, itself. */
const WRITTEN = new Set([
  'accept',
  'authorization',
  'cache-control',
  'connection',
  'content-length',
  'content-type',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'keep-alive',
  'proxy-authorization',
  'range',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-request-id',
])

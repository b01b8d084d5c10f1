import helmet, { type HelmetOptions } from 'helmet'
import type { RouteInput } from '../../services/routing/options.ts'
import { bytes } from '../../services/options/schema.ts'
import { parseRouteKey } from '../../services/routing/pattern.ts'
import type { ValidateInput } from '../../services/validation/options.ts'
import type { Settings } from '../schema.ts'
import type { CheckContext, Say } from './context.ts'

/** What routes say of what may pass has an effect, and is safe. */
export function checkPassing({ settings, report }: CheckContext): void {
  for (const [key, route] of Object.entries(settings.routes)) {
    const say: Say = (path, message) => report.add('HR_CONFIG_ROUTE_OPTION', ['routes', key, ...path], message)
    checkCors(route.cors, say)
    checkSecurityHeaders(route.securityHeaders, say)
    checkValidate(route, settings, say)
    checkRequest(key, route.request, { say, bodySize: settings.limits.bodySize })
  }
}

function checkCors(cors: RouteInput['cors'], say: Say): void {
  if (typeof cors !== 'object') return
  const origins = Array.isArray(cors.origin) ? cors.origin : [cors.origin]
  const isAny = origins.includes('*') || origins.includes(true)
  if (isAny && cors.credentials) {
    say(['cors', 'credentials'], 'with credentials every page could act as its user: name the origins that may')
  }
  if (origins.includes('*') && origins.length > 1) say(['cors', 'origin'], "'*' is any origin: leave out the others")
  origins.forEach((origin, index) => {
    const path = ['cors', 'origin', ...(Array.isArray(cors.origin) ? [index] : [])]
    if (typeof origin !== 'string' || origin === '*' || !origin.includes('*')) return
    const stars = origin.split('*').length - 1
    if (stars > 1 || !/^[a-z][a-z0-9+.-]*:\/\/\*\./.test(origin)) {
      say(path, `in '${origin}' the * may stand for what is before a name alone: 'https://*.example.com'`)
    } else if (!/\*\.[^.]+\./.test(origin)) {
      say(path, `'${origin}' is each name of a whole top-level domain: name one below it`)
    }
  })
}

/** What helmet says of them, which writes them. */
function checkSecurityHeaders(headers: RouteInput['securityHeaders'], say: Say): void {
  if (typeof headers !== 'object') return
  try {
    const nobody = { setHeader: () => undefined, removeHeader: () => undefined }
    helmet(headers as HelmetOptions)({} as never, nobody as never, (error) => {
      if (error instanceof Error) throw error
    })
  } catch (error) {
    say(['securityHeaders'], (error as Error).message)
  }
}

function checkValidate({ validate, to, answer, mock }: RouteInput, { upstreams }: Settings, say: Say): void {
  if (validate === undefined || validate === false) return
  if (answer !== undefined) {
    say(['validate'], 'the gateway answers by itself: there is nothing to compare')
    return
  }
  const {
    document,
    requests = 'enforce',
    responses = 'log',
  }: Partial<ValidateInput> = validate === true ? {} : validate
  if (requests === 'off' && responses === 'off') say(['validate'], 'both requests and responses are off: leave it out')
  if (mock !== undefined && mock !== false && responses === 'enforce') {
    say(['validate', 'responses'], 'a mock answers from the document itself: there is nothing to compare')
  }
  const main = typeof to === 'object' ? Object.keys(to.split)[0] : to
  if (document !== undefined || upstreams[main ?? '']?.openapi !== undefined || upstreams[main ?? ''] === undefined)
    return
  say(
    ['validate'],
    "there is no document: give the upstream an openapi, or write validate: { document: './openapi.json' }",
  )
}

function checkRequest(
  key: string,
  request: RouteInput['request'],
  { say, bodySize }: { say: Say; bodySize: string },
): void {
  if (request === undefined) return
  if (request.bodySize !== undefined && bytes(request.bodySize) > bytes(bodySize)) {
    say(['request', 'bodySize'], `limits.bodySize (${bodySize}) is smaller, and holds: raise it, or take less here`)
  }
  const named = methodsOf(key)
  request.methods?.forEach((method, index) => {
    if (named === null || named.includes(method)) return
    say(['request', 'methods', index], `the key of the route takes ${named.join(', ')} only: ${method} never gets here`)
  })
}

/** `null` for all, and for a key that is complained of already. */
function methodsOf(key: string): readonly string[] | null {
  try {
    return parseRouteKey(key).methods
  } catch {
    // The check of routes has said so.
    return null
  }
}

import { faultIn, withDefaults } from '../options/settled.ts'
import { AccessOptionError } from './errors.ts'
import {
  type AccessInput,
  type AccessOptions,
  accessSchema,
  faultOfFailureLimit,
  faultsOfProviders,
  resolveAccess,
} from './options.ts'
import {
  accessOfRouteSchema,
  contradictionIn,
  resolveRouteAccess,
  type RouteAccessInput,
  type RouteAccessOptions,
  routeAccessSchema,
} from './route/options.ts'

/** `access` as people write it, as far as it works in an application without a gateway. */
export interface AccessSettings extends Partial<Pick<AccessInput, 'realm' | 'consumersFile' | 'failureLimit'>> {
  /** By name, as in the configuration. */
  consumers?: Record<string, object>
  keys?: Partial<AccessInput['keys']>
  basic?: Partial<AccessInput['basic']>
  hmac?: Partial<AccessInput['hmac']>
  /** Issuers of tokens, by name. */
  jwt?: Record<string, object>
  /** Logins of browsers, by name; the application registers their pages. */
  oidc?: Record<string, object>
  /** Services that are asked, by name. */
  forward?: Record<string, object>
  audit?: Partial<AccessInput['audit']>
}

/** `access` of a route: a list of ways, or more. */
export type GuardInput =
  | string[]
  | (Partial<Omit<RouteAccessInput, 'addresses' | 'allow' | 'deny'>> & {
      addresses?: Partial<RouteAccessInput['addresses']>
      allow?: Partial<RouteAccessInput['allow'][number]>[]
      deny?: Partial<RouteAccessInput['deny'][number]>[]
    })

const OWN: readonly string[] = [
  'realm',
  'consumers',
  'consumersFile',
  'failureLimit',
  'keys',
  'basic',
  'hmac',
  'jwt',
  'oidc',
  'forward',
  'audit',
]

/**
 * What no configuration has checked.
 *
 * @throws HR_ACCESS_OPTION
 */
export function accessFrom(
  input: AccessSettings,
  where: { toPath: (path: string) => string; dataDir: string },
): AccessOptions {
  const other = Object.keys(input).find((name) => !OWN.includes(name))
  if (other !== undefined) throw new AccessOptionError(`access.${other} is for the gateway`)
  const filled = checked(accessSchema, input, 'access') as AccessInput
  const shutOut = faultOfFailureLimit(filled)
  if (shutOut !== undefined) throw new AccessOptionError(`access.failureLimit: ${shutOut}`)
  const [wrong] = faultsOfProviders(filled)
  if (wrong !== undefined) throw new AccessOptionError(`access.${wrong.path.join('.')}: ${wrong.fault}`)
  const sending = Object.entries(filled.oidc).find(([, { sendToken }]) => sendToken)
  if (sending !== undefined) throw new AccessOptionError(`access.oidc.${sending[0]}.sendToken is for the gateway`)
  return resolveAccess(filled, where)
}

/**
 * Who may call a route of an application.
 *
 * @throws HR_ACCESS_OPTION
 */
export function guardFrom(input: GuardInput): RouteAccessOptions {
  const schema = Array.isArray(input) ? accessOfRouteSchema : routeAccessSchema
  const guard = resolveRouteAccess(
    checked(schema, input, 'config.access') as RouteAccessInput | string[],
  ) as RouteAccessOptions
  const contradiction = contradictionIn(guard)
  if (contradiction !== undefined) {
    const { part, fault } = contradiction
    throw new AccessOptionError(`config.access${part === null ? '' : `.${part}`}: ${fault}`)
  }
  return guard
}

function checked(schema: Parameters<typeof faultIn>[0], input: unknown, name: string): unknown {
  const filled = withDefaults(schema, input)
  const fault = faultIn(schema, filled)
  if (fault !== undefined) throw new AccessOptionError(`${name}${fault}`)
  return filled
}

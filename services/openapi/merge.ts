import type { RouteOptions } from '../routing/options.ts'
import { RouteTable } from '../routing/table.ts'
import { assemble, type Shown, type Source, type Warn } from './assemble.ts'
import {
  isObject,
  METHODS,
  objectOf,
  own,
  without,
  type JsonObject,
  type OpenapiWarning,
  type UpstreamSpecification,
} from './document.ts'
import { exposeRoute, shapeOfPath } from './exposure.ts'
import { Lifter } from './lift.ts'
import { exposures, settle, type Exposure } from './operations.ts'
import { publicParameters } from './parameters.ts'

export interface MergeInput {
  /** The gateway's own document, OpenAPI 3.1: its info, servers and external documentation are the result's. */
  gateway: JsonObject
  /** In the order in which they are to be shown. */
  specifications: readonly UpstreamSpecification[]
  routes: readonly RouteOptions[]
  /** Paths that the gateway answers itself; with a trailing `/*`, all below as well. Its documented ones are known. */
  reserved?: readonly string[]
}

export interface MergeResult {
  /** OpenAPI 3.1; it shares objects with its sources: not to be changed. */
  document: JsonObject
  warnings: OpenapiWarning[]
}

/**
 * Merges the specifications of upstreams under the gateway's public paths with the gateway's own document.
 *
 * An operation is shown where, and only where, a request through the gateway reaches it; each method and path once. An
 * upstream's operation that two routes expose is shown at both places. What no shown operation reaches is left out. Names
 * (components, operationIds, tags) stay as they are unless two sources use the same: then the upstreams' get a prefix.
 * Pure and deterministic; it never throws for what a specification contains.
 *
 * @throws HR_ROUTE_INVALID for routes that no configuration lets through
 */
export function merge(input: MergeInput): MergeResult {
  const warnings = new Map<string, OpenapiWarning>()
  const warn = (code: OpenapiWarning['code'], upstream: string, message: string): void => {
    if (warnings.size < 100) warnings.set(`${code} ${upstream} ${message}`, { code, upstream, message })
  }
  const gateway = liftGateway(input.gateway, warn)
  const upstreams = liftUpstreams(input, gateway, warn)
  const document = assemble([...upstreams, gateway], input.gateway, warn)
  return { document, warnings: [...warnings.values()] }
}

function liftGateway(document: JsonObject, warn: Warn): Source {
  const lifter = new Lifter(document, (code, message) => warn(code, 'gateway', message))
  const shown = Object.entries(objectOf(document['paths'])).flatMap(([path, item]) =>
    METHODS.flatMap((method): Shown[] => {
      const operation = own(objectOf(item), method)
      if (!isObject(operation)) return []
      const lifted = withSecurity(lifter.operation(operation), lifter, operation, document)
      return [{ path, method, originalPath: path, operation: lifted, servers: [] }]
    }),
  )
  return { name: null, document, shown, components: lifter.components() }
}

function liftUpstreams(input: MergeInput, gateway: Source, warn: Warn): Source[] {
  const table = new RouteTable(input.routes.map(exposeRoute))
  const reserved = [...(input.reserved ?? []), ...gateway.shown.map(({ path }) => path)]
  const lifters = new Map<string, Lifter>()
  const candidates = input.specifications.flatMap((specification) => {
    const { document, upstream } = specification
    const lifter = new Lifter(document, (code, message) => warn(code, upstream, message))
    lifters.set(upstream, lifter)
    const item = (node: JsonObject): JsonObject => ({ ...lifter.follow('pathItems', node), ...without(node, '$ref') })
    return exposures(specification, item, table)
  })
  const settled = settle(candidates, reserved, warn)
  // templated paths that differ in names alone are one path: the first to be shown names its parameters
  const spelling = new Map<string, string>()
  return input.specifications.map(({ upstream, document }): Source => {
    const lifter = lifters.get(upstream) as Lifter
    const shown = settled
      .filter((exposure) => exposure.upstream === upstream)
      .map((exposure) => {
        const shape = shapeOfPath(exposure.public.path)
        const path = spelling.get(shape) ?? exposure.public.path
        spelling.set(shape, path)
        return liftExposure(exposure, path, lifter, document)
      })
    return { name: upstream, document, shown, components: lifter.components() }
  })
}

function liftExposure(exposure: Exposure, path: string, lifter: Lifter, document: JsonObject): Shown {
  const { operation, upstream, method, originalPath, servers } = exposure
  // the upstream's own addresses would lead around the gateway
  const plain = without(operation, 'servers', 'parameters', 'security')
  const lifted: JsonObject = { ...lifter.operation(plain) }
  const parameters = publicParameters(exposure, path, lifter)
  if (parameters.length > 0) lifted['parameters'] = parameters
  lifted['x-headrace-upstream'] = upstream
  return {
    path,
    method,
    originalPath,
    operation: withSecurity(lifted, lifter, operation, document),
    servers,
  }
}

/** A document's requirements hold for every operation that states none of its own (OpenAPI 3.1, §4.8.1). */
function withSecurity(lifted: JsonObject, lifter: Lifter, operation: JsonObject, document: JsonObject): JsonObject {
  const security = lifter.security(operation['security'] ?? document['security'])
  const rest = without(lifted, 'security')
  return security === undefined ? rest : { ...rest, security }
}

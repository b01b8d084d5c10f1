import { fileURLToPath } from 'node:url'
import { SpecificationFileError } from './errors.ts'
import { readSpecificationFile } from './source.ts'

/** What a route goes by: a `file:` URL of its own, or what its upstream names. */
export interface DocumentedRoute {
  key: string
  to: string | null
  mock: { document: string | null } | null
  validate: { document: string | null } | null
}

/** Where an upstream's document is: a path on it, or a `file:` URL. */
export interface DocumentedUpstream {
  name: string
  openapi: string | null
}

export interface DocumentFault {
  route: string
  part: 'mock' | 'validate'
  /** HR_OPENAPI_FILE */
  error: Error
}

/**
 * The documents in files that routes go by and that are none: such a route would answer 503. Those that upstreams give are
 * not asked for.
 */
export async function documentFaults(config: {
  routes: readonly DocumentedRoute[]
  upstreams: readonly DocumentedUpstream[]
}): Promise<DocumentFault[]> {
  const reasons = new Map<string, string | null>()
  const faults: DocumentFault[] = []
  for (const route of config.routes) {
    for (const part of ['mock', 'validate'] as const) {
      const location = locationOf(route, part, config.upstreams)
      if (location?.startsWith('file:') !== true) continue
      const known = reasons.get(location)
      const reason = known === undefined ? await faultOf(location) : known
      reasons.set(location, reason)
      if (reason === null) continue
      const error = new SpecificationFileError(fileURLToPath(location), route.key, reason)
      faults.push({ route: route.key, part, error })
    }
  }
  return faults
}

function locationOf(
  route: DocumentedRoute,
  part: DocumentFault['part'],
  upstreams: readonly DocumentedUpstream[],
): string | null {
  const going = route[part]
  if (going === null) return null
  return going.document ?? upstreams.find(({ name }) => name === route.to)?.openapi ?? null
}

async function faultOf(location: string): Promise<string | null> {
  try {
    await readSpecificationFile(location)
    return null
  } catch (error) {
    const { code, message } = error as { code?: unknown; message: string }
    if (typeof code !== 'string' || !code.startsWith('HR_OPENAPI_')) throw error
    return message
  }
}

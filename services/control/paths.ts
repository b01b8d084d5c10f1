import { type AdminOptions, type EndpointsOptions, PERFORMANCE_ALIAS } from './options.ts'

/** The roots of the control plane's paths: they and all that lies below want the admin token. */
export function controlRoots({ performance, metrics }: EndpointsOptions): string[] {
  const roots = performance === false ? [] : [...new Set([performance, PERFORMANCE_ALIAS])]
  return metrics === false ? roots : [...roots, metrics]
}

/**
 * The same on the public listeners: none unless the control plane is shared. No configured route gets these paths, so
 * that one mistyped does not take its token to an upstream.
 */
export function guardedRoots({
  admin,
  endpoints,
}: {
  admin: AdminOptions | null
  endpoints: EndpointsOptions
}): string[] {
  return admin?.shared === true ? controlRoots(endpoints) : []
}

/** @param path canonical */
export function isBelow(roots: readonly string[], path: string): boolean {
  return roots.some((root) => path === root || path.startsWith(`${root}/`))
}

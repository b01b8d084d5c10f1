import type { Identity } from '../downstream/identity.ts'
import { claimAt } from './claims.ts'
import type { PermissionOptions, RouteAccessOptions } from './route/options.ts'

/** What a caller must be to do something on a route. */
export type Entitling = Pick<RouteAccessOptions, 'scopes' | 'groups' | 'claims' | 'allow' | 'deny'>

/** Whether somebody may do this. @param identity `undefined` for whoever has shown nothing: it is in no group */
export function isEntitled(entitling: Entitling, method: string, identity: Identity | undefined): boolean {
  const { scopes, groups, claims, allow, deny } = entitling
  if (scopes.length > 0 && !hasAll(identity?.scopes, scopes)) return false
  if (groups.length > 0 && !hasOne(identity?.groups, groups)) return false
  for (const { name, values } of claims) {
    if (identity === undefined || !isOne(claimAt(identity.claims, name), values)) return false
  }
  for (const permission of deny) if (covers(permission, method, identity)) return false
  if (allow.length === 0) return true
  for (const permission of allow) if (covers(permission, method, identity)) return true
  return false
}

/** HEAD asks for what GET would answer: what is said of GET is said of it. */
function covers({ methods, consumers, groups, scopes }: PermissionOptions, method: string, who?: Identity): boolean {
  if (methods.length > 0 && !methods.includes(method) && !(method === 'HEAD' && methods.includes('GET'))) return false
  if (consumers.length > 0 && (who?.consumer == null || !consumers.includes(who.consumer))) return false
  if (groups.length > 0 && !hasOne(who?.groups, groups)) return false
  return scopes.length === 0 || hasAll(who?.scopes, scopes)
}

function hasAll(has: readonly string[] | undefined, wanted: readonly string[]): boolean {
  if (has === undefined) return false
  for (const one of wanted) if (!has.includes(one)) return false
  return true
}

function hasOne(has: readonly string[] | undefined, wanted: readonly string[]): boolean {
  if (has === undefined) return false
  for (const one of wanted) if (has.includes(one)) return true
  return false
}

/** Numbers and booleans are compared as JSON writes them; what is an object is nothing that could be asked for. */
function isOne(value: unknown, wanted: readonly string[]): boolean {
  if (Array.isArray(value)) return value.some((item) => isOne(item, wanted))
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return false
  return wanted.includes(String(value))
}

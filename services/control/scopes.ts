/**
 * What a token of the control plane may be good for; the admin token is for all of it.
 *
 * - `read`: looking at the performance API
 * - `metrics`: the page for Prometheus, and nothing else
 * - `operate`: what changes the state of a running gateway, such as purges and maintenance
 * - `configure`: what replaces its configuration or its processes
 */
export const ADMIN_SCOPES = ['read', 'metrics', 'operate', 'configure'] as const
export type AdminScope = (typeof ADMIN_SCOPES)[number]

/** What a route wants that says nothing of it: who may look may not touch. */
export function scopeOf(method: string): AdminScope {
  return method === 'GET' || method === 'HEAD' ? 'read' : 'operate'
}

import type { Test } from 'tap'
import { startFleet } from '../../../examples/fleet/upstream.ts'

/** A moment after everything that was generated. */
export const NOW = Date.UTC(2026, 6, 1, 12)

export interface Api {
  url: string
  get(path: string, headers?: Record<string, string>): Promise<Response>
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>
}

/** The fleet API on a free port, with its clock stopped at NOW and a quick stream; it closes with the test. */
export async function startApi(t: Test): Promise<Api> {
  const fleet = await startFleet({ now: () => NOW, tickMs: 5 })
  t.teardown(() => fleet.close())
  const { url } = fleet
  return {
    url,
    get: (path, headers = {}) => fetch(`${url}${path}`, { headers, redirect: 'manual' }),
    send: (method, path, body, headers = {}) =>
      fetch(`${url}${path}`, {
        method,
        headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
  }
}

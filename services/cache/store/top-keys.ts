import { createHash } from 'node:crypto'
import type { Resource } from './entry.ts'

export interface TopKey {
  /** First 16 hexadecimal digits of the key's SHA-256: URLs are not for everybody who may see figures. */
  name: string
  hits: number
  bytes: number
  variants: number
}

/** The keys with most hits, variants together. Goes through all: for people who ask. */
export function topKeys(resources: Iterable<Resource>, limit: number): TopKey[] {
  const best: { resource: Resource; hits: number }[] = []
  for (const resource of resources) {
    let hits = 0
    for (const entry of resource.entries) hits += entry.hits
    if (best.length === limit && hits <= (best.at(-1)?.hits ?? Number.POSITIVE_INFINITY)) continue
    const place = best.findIndex((other) => other.hits < hits)
    best.splice(place < 0 ? best.length : place, 0, { resource, hits })
    if (best.length > limit) best.pop()
  }
  return best.map(({ resource: { key, entries }, hits }) => ({
    name: createHash('sha256').update(key).digest('hex').slice(0, 16),
    hits,
    bytes: entries.reduce((sum, { bytes }) => sum + bytes, 0),
    variants: entries.length,
  }))
}

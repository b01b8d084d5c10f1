import { setFlagsFromString } from 'node:v8'

const COUNT_LIVE = '--external-memory-accounted-in-global-limit'
/** Major and minor of V8: the first that knows the flag (Node 24), and the first that needs none. */
const KNOWN_FROM = [13, 6] as const
const DEFAULT_FROM = [14, 8] as const

/**
 * Lets V8 count the buffers that live, and not all that were ever made, when it decides about a full collection: a proxy
 * makes one of 64 KiB for each read of a socket, and drops it at once. Newer versions do so by themselves (V8 commit
 * 513bb22991). For the whole process, once. Figures and the bound: docs/architecture.md, "Memory".
 */
export function countLiveBuffers(): void {
  for (const flag of heapFlags(process.versions.v8)) setFlagsFromString(flag)
}

/** What {@link countLiveBuffers} sets. @param version as in `process.versions.v8` */
export function heapFlags(version: string): string[] {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const from = ([least, atLeast]: readonly [number, number]): boolean =>
    major > least || (major === least && minor >= atLeast)
  return from(KNOWN_FROM) && !from(DEFAULT_FROM) ? [COUNT_LIVE] : []
}

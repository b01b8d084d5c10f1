/** What a cached response of 1 KiB takes in memory beyond its body, as bench/micro/cache-memory.ts finds it. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Bytes an entry. */
export interface Overhead {
  /** As it was put in. */
  stored: number
  /** Once each has been served: the heads of some answers are kept for the next time. */
  served: number
}

export interface EntryMemory {
  title: string
  figures: { name: string; bytes: number }[]
  atMost: number
}

const SCRIPT = fileURLToPath(new URL('micro/cache-memory.ts', import.meta.url))
/** Enough for the figure to hold within a percent. */
const ENTRIES = 20_000
const AT_MOST_BYTES = 1024

/** @throws Error when it cannot be measured */
export function entryMemory(): EntryMemory {
  const args = ['--expose-gc', SCRIPT, '--json', '--entries', String(ENTRIES)]
  const { status, stdout } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (status !== 0) throw new Error(`The memory of an entry could not be measured: code ${status}`)
  const { stored, served } = JSON.parse(stdout) as Overhead
  return {
    title: 'Memory of a cached answer of 1 KiB beyond its body',
    figures: [
      { name: 'stored', bytes: stored },
      { name: 'stored and served', bytes: served },
    ],
    atMost: AT_MOST_BYTES,
  }
}

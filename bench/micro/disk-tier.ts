/**
 * What the tier on disk does: `node bench/micro/disk-tier.ts [folder]`. Writes and reads a second, and how long a read
 * takes alone, and while as much is written as the queue takes; at 1 and 10 KiB. In a folder of its own, removed again.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DiskTier } from '../../services/cache/store/disk.ts'
import type { StoredResponse } from '../../services/cache/stored.ts'

const KEYS = 20_000
const READERS = 32
const READS = 20_000
const UNTIL = 4e12
const log = { info: () => {}, warn: (details: object, message: string) => console.error(message, details) }

const keyOf = (i: number): string => `3f2a91c4 https://api.example.com/v1/vehicles/${(i * 7919) % KEYS}`

const response = (i: number, body: string): StoredResponse => ({
  status: 200,
  fields: [
    ['content-type', 'application/json; charset=utf-8'],
    ['content-length', String(body.length)],
    ['cache-control', 'public, max-age=300'],
    ['date', 'Sun, 06 Nov 1994 08:49:37 GMT'],
    ['etag', `"${i}"`],
    ['server', 'nginx/1.26.2'],
  ].flat(),
  requestedAt: Date.now(),
  receivedAt: Date.now(),
  body,
  part: null,
  vary: [],
  tags: ['vehicles'],
})

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Writes as fast as the queue takes it, until told to stop. @returns how many were written */
async function writeAll(tier: DiskTier, body: string, isDone: (written: number) => boolean): Promise<number> {
  const before = tier.stats().writes
  for (let i = 0; !isDone(tier.stats().writes - before); ) {
    // Away, it takes nothing.
    for (let more = 500; more > 0 && tier.stats().queued * body.length < 8e6; more--) {
      tier.write(keyOf(i), response(i++, body), UNTIL)
    }
    await turn()
  }
  return tier.stats().writes - before
}

/** Reads by so many at a time, each after its last. @returns microseconds, sorted */
async function readAll(tier: DiskTier): Promise<number[]> {
  const took: number[] = []
  let next = 0
  const reader = async (): Promise<void> => {
    while (next < READS) {
      const { state } = tier.stats()
      const start = performance.now()
      await tier.read(keyOf(next++))
      // Away, it answers at once: that says nothing.
      if (state === 'up') took.push((performance.now() - start) * 1e3)
      else await turn()
    }
  }
  await Promise.all(Array.from({ length: READERS }, reader))
  return took.sort((a, b) => a - b)
}

/** Microseconds, of all threads. */
function cpuSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start)
  return user + system
}

const percentiles = (sorted: number[]): string =>
  [0.5, 0.99, 0.999]
    .map((share) => `${((sorted[Math.floor(sorted.length * share)] ?? 0) / 1e3).toFixed(2)}`)
    .join(' / ')

async function measure(bytes: number, parent: string): Promise<void> {
  const folder = mkdtempSync(join(parent, 'headrace-disk-tier-'))
  const tier = new DiskTier({ folder, maxBytes: 2 ** 30, log })
  await tier.ready
  const body = 'x'.repeat(bytes)
  const start = performance.now()
  const cpu = process.cpuUsage()
  const written = await writeAll(tier, body, (count) => count >= KEYS)
  const puts = written / ((performance.now() - start) / 1e3)
  const putCpu = cpuSince(cpu) / written
  const alone = performance.now()
  const before = process.cpuUsage()
  const calm = await readAll(tier)
  const gets = READS / ((performance.now() - alone) / 1e3)
  const getCpu = cpuSince(before) / READS
  let done = false
  const from = performance.now()
  const writing = writeAll(tier, body, () => done)
  const { failures } = tier.stats()
  const busy = await readAll(tier)
  const spent = (performance.now() - from) / 1e3
  done = true
  const beside = (await writing) / spent
  const late = tier.stats().failures - failures
  console.log(
    `${bytes / 1024} KiB: puts/s ${puts.toFixed(0)} (CPU of both threads ${putCpu.toFixed(0)} µs each), ` +
      `gets/s ${gets.toFixed(0)} (${getCpu.toFixed(0)} µs); a read p50 / p99 / p99.9 ms ${percentiles(calm)}; ` +
      `under writing ${percentiles(busy)} (puts/s ${beside.toFixed(0)}, gets/s ${(READS / spent).toFixed(0)}, late ${late})`,
  )
  await tier.close()
  rmSync(folder, { recursive: true })
}

for (const bytes of [1024, 10_240]) await measure(bytes, process.argv[2] ?? tmpdir())

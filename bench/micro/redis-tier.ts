/**
 * What the tier in Redis costs: `node bench/micro/redis-tier.ts`. It starts a redis-server of its own, on loopback: times
 * are the gateway's and Redis' together, on the cores that there are.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readMemory } from '../../services/cache/store/redis-memory.ts'
import { RedisTier } from '../../services/cache/store/redis-tier.ts'
import type { StoredResponse } from '../../services/cache/stored.ts'
import { RedisLink } from '../../services/redis/link.ts'
import type { RedisOptions } from '../../services/redis/options.ts'

const KEYS = 10_000
const OPERATIONS = 40_000

const probe = createServer().listen(0, '127.0.0.1')
await once(probe, 'listening')
const { port } = probe.address() as AddressInfo
probe.close()
await once(probe, 'close')
const directory = mkdtempSync(join(tmpdir(), 'headrace-bench-'))
const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', '', '--appendonly', 'no']
const server = spawn('redis-server', args, { stdio: 'ignore' })

const options: RedisOptions = {
  topology: { kind: 'single', node: { host: '127.0.0.1', port }, db: 0 },
  username: null,
  password: null,
  sentinelPassword: null,
  prefix: 'bench',
  maxConnections: 20,
  connectTimeoutMs: 5_000,
  commandTimeoutMs: 1_000,
  tls: null,
}
const link = new RedisLink(options)
let { promise: up, resolve } = Promise.withResolvers<void>()
const limits = { maxAgeMs: 3_600_000, maxEntryBytes: 1024 * 1024 }
/** On a machine with other work it may go away for a moment: what is measured then is nothing. */
const changed = (state: 'up' | 'away'): void => {
  if (state === 'up') resolve()
  else ({ promise: up, resolve } = Promise.withResolvers<void>())
}
const tier = new RedisTier({ link, prefix: 'bench', ...limits, changed })
await up

const key = (kind: string, i: number): string => `3f2a91c4https://api.example.com/v1/${kind}/${i % KEYS}`

const response = (bytes: number, tags: readonly string[]): StoredResponse => ({
  status: 200,
  fields: [
    ['content-type', 'application/json; charset=utf-8'],
    ['content-length', String(bytes)],
    ['cache-control', 'public, max-age=300'],
    ['date', new Date().toUTCString()],
    ['etag', '"5f3a-1024"'],
    ['vary', 'accept-encoding'],
  ].flat(),
  requestedAt: Date.now(),
  receivedAt: Date.now(),
  body: bytes > 16_384 ? new Uint8Array(bytes) : 'x'.repeat(bytes),
  part: null,
  vary: ['accept-encoding', 'gzip'],
  tags,
})

/** @param width how many go on at once */
async function measure(
  name: string,
  operations: number,
  width: number,
  run: (i: number) => Promise<unknown>,
): Promise<void> {
  await up
  const { failures } = tier.stats()
  const cpu = process.cpuUsage()
  const start = performance.now()
  let next = 0
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (next < operations) {
        await run(next++)
        await up
      }
    }),
  )
  const ms = performance.now() - start
  const { user, system } = process.cpuUsage(cpu)
  const each = `${((user + system) / operations).toFixed(1)} µs CPU`
  const rate = `${Math.round((operations / ms) * 1000).toLocaleString('en')}/s`
  const wait = `${(((ms * width) / operations) * 1000).toFixed(0)} µs each`
  const failed = tier.stats().failures - failures
  const note = failed === 0 ? '' : `  ${failed} failed: too busy a machine`
  process.stdout.write(`${name.padEnd(48)} ${rate.padStart(9)} ${each.padStart(15)} ${wait.padStart(14)}${note}\n`)
}

async function fill(kind: string, stored: StoredResponse): Promise<void> {
  await measure(`write, ${stored.body.length} bytes, ${stored.tags.length} tags`, KEYS, 256, async (i) => {
    tier.write(key(kind, i), { ...stored, requestedAt: Date.now() }, Date.now() + 600_000)
    await tier.drain()
  })
}

await fill('plain', response(1024, []))
await fill('tagged', response(1024, ['vehicles', 'fleet']))
await fill('large', response(10_240, []))
for (const width of [1, 64, 256]) {
  await measure(`read, ${width} at once, 1 KiB`, OPERATIONS / (width === 1 ? 10 : 1), width, (i) =>
    tier.read(key('plain', i)),
  )
}
await measure('read, 256 at once, 1 KiB, 2 tags', OPERATIONS, 256, (i) => tier.read(key('tagged', i)))
await measure('read, 256 at once, 10 KiB', OPERATIONS, 256, (i) => tier.read(key('large', i)))
await measure('read, 256 at once, nothing there', OPERATIONS, 256, (i) => tier.read(key('missing', i)))
const { usedBytes } = readMemory(await link.info())
process.stdout.write(`Redis holds ${(usedBytes / (3 * KEYS)).toFixed(0)} bytes an entry, of 4,096 in the mean\n`)
await measure('purge by URL', 2_000, 1, (i) =>
  tier.purge({ kind: 'url', url: `https://api.example.com/v1/plain/${i}` }, 'hard'),
)
await measure('purge by tag, 10,000 entries', 1, 1, () => tier.purge({ kind: 'tag', tag: 'fleet' }, 'hard'))
for (let i = 0; i < 256; i++) await tier.purge({ kind: 'prefix', prefix: `https://other.example.com/${i}` }, 'hard')
await measure('read, 256 at once, 256 prefixes purged since', OPERATIONS, 256, (i) => tier.read(key('large', i)))
process.stdout.write(`${JSON.stringify({ ...tier.stats(), ...link.stats() })}\n`)

await tier.close()
link.close()
server.kill('SIGKILL')
await once(server, 'exit')
rmSync(directory, { recursive: true, force: true })

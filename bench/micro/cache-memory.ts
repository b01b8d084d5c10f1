/**
 * What a cached response takes in memory beyond its body: `node --expose-gc bench/micro/cache-memory.ts`.
 * Entries of 1 KiB with the fields of an API's answers, put in as the proxy has them: strings of their own.
 * `V8` is measured after a full collection, `counted` is what the store's budget takes them for.
 * `--entries` of them (100,000); `--json` prints one figure as the benchmark wants it.
 */
import { setImmediate } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { StoredResponse } from '../../services/cache/stored.ts'
import { MemoryStore } from '../../services/cache/store/memory.ts'
import { preparedHead } from '../../services/downstream/prepared.ts'
import type { Overhead } from '../entry-memory.ts'

const { values } = parseArgs({ options: { entries: { type: 'string' }, json: { type: 'boolean' } } })
const ENTRIES = Number(values.entries ?? 100_000)
const collect = globalThis.gc ?? (() => console.error('Run it with --expose-gc.') ?? process.exit(2))

/** A string made anew, as one read from a socket is. */
const fresh = (text: string): string => Buffer.from(text, 'latin1').toString('latin1')
const keyOf = (i: number): string => fresh(`3f2a91c4 https://api.example.com/v1/vehicles/${i}?expand=owner`)

function fieldsOf(i: number): string[] {
  return [
    ['content-type', 'application/json; charset=utf-8'],
    ['content-length', '1024'],
    ['cache-control', 'public, max-age=300, stale-while-revalidate=60'],
    ['date', new Date(1.8e12 + i * 10).toUTCString()],
    ['etag', `"${(i * 2654435761).toString(36)}-1024"`],
    ['last-modified', new Date(1.7e12 + i * 1e6).toUTCString()],
    ['vary', 'accept-encoding'],
    ['server', 'nginx/1.26.2'],
    ['x-content-type-options', 'nosniff'],
    ['strict-transport-security', 'max-age=31536000; includeSubDomains'],
  ].flatMap(([name = '', value = '']) => [fresh(name), fresh(value)])
}

function responseOf(i: number, tagged: boolean): StoredResponse {
  return {
    status: 200,
    fields: fieldsOf(i),
    requestedAt: 1.8e12 + i + 0.25,
    receivedAt: 1.8e12 + i + 3.5,
    body: fresh('x'.repeat(1024)),
    part: null,
    vary: [fresh('accept-encoding'), fresh('gzip')],
    tags: tagged ? [fresh('vehicles'), fresh(`vehicle-${i}`)] : [],
  }
}

/** After a turn of the event loop: what a WeakRef has given out is kept until then. */
async function held(): Promise<number> {
  await setImmediate()
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function report(name: string, bytes: number): void {
  process.stdout.write(`${name.padEnd(52)} ${bytes.toFixed(0).padStart(6)} bytes an entry\n`)
}

async function measure(tagged: boolean): Promise<Overhead & { counted: number }> {
  const before = await held()
  const store = new MemoryStore({ maxEntries: ENTRIES, maxBytes: 2 ** 31, now: () => 1.8e12 })
  const times = { bornAt: 0, freshUntil: 1.9e12 + 0.5, usableUntil: 1.9e12 + 0.5 }
  for (let i = 0; i < ENTRIES; i++) store.put(keyOf(i), responseOf(i, tagged), times)
  const stored = (await held()) - before
  for (let i = 0; i < ENTRIES; i++) {
    const entry = store.get(keyOf(i))!.entries[0]!
    store.touch(entry)
    preparedHead(entry)
  }
  const served = (await held()) - before
  const counted = store.stats().bytes
  store.close()
  const overhead = (bytes: number): number => bytes / ENTRIES - 1024
  return { stored: overhead(stored), served: overhead(served), counted: overhead(counted) }
}

async function reportStore(name: string, tagged: boolean): Promise<void> {
  const { stored, served, counted } = await measure(tagged)
  report(`${name}: overhead, V8`, stored)
  report(`${name}: overhead once each was served, V8`, served)
  report(`${name}: overhead, counted`, counted)
}

/** The alternatives for the fields alone: as they come, shared, and joined. */
async function measureFields(name: string, make: (fields: string[]) => unknown): Promise<void> {
  const before = await held()
  const kept: unknown[] = []
  for (let i = 0; i < ENTRIES; i++) kept.push(make(fieldsOf(i)))
  report(`fields alone, ${name}`, ((await held()) - before) / ENTRIES)
  kept.length = 0
}

async function reportAll(): Promise<void> {
  const seen = new Map<string, string>()
  const shared = (text: string): string => seen.get(text) ?? (seen.set(text, text), text)
  await measureFields('as they come', (fields) => fields)
  await measureFields('repeated strings shared', (fields) => fields.map(shared))
  seen.clear()
  await measureFields('one joined string', (fields) => fresh(fields.join('\n')))
  await reportStore('untagged', false)
  await reportStore('one shared tag, one of its own', true)
}

if (values.json === true) process.stdout.write(JSON.stringify(await measure(false)))
else await reportAll()

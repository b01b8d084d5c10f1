/**
 * What a cached response takes in memory beyond its body: `node --expose-gc bench/micro/cache-memory.ts`.
 * Entries of 1 KiB with the fields of an API's answers, put in as the proxy has them: strings of their own.
 * `V8` is measured after a full collection, `counted` is what the store's budget takes them for.
 * `--entries` of them (100,000); `--json` prints one figure as the benchmark wants it.
 */
import { parseArgs } from 'node:util'
import type { StoredResponse } from '../../services/cache/stored.ts'
import { MemoryStore } from '../../services/cache/store/memory.ts'
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

/** As `http1-reply.ts` writes one. */
function headOf(fields: readonly string[], i: number): string {
  let head = 'HTTP/1.1 200 OK\r\n'
  for (let at = 0; at < fields.length; at += 2) head += `${fields[at]}: ${fields[at + 1]}\r\n`
  return fresh(`${head}age: ${i}\r\ncache-status: headrace; hit; ttl=${i}\r\nx-request-id: mJ2B4S6a-${i}\r\n\r\n`)
}

function held(): number {
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function report(name: string, bytes: number): void {
  process.stdout.write(`${name.padEnd(52)} ${bytes.toFixed(0).padStart(6)} bytes an entry\n`)
}

function measure(tagged: boolean): Overhead & { counted: number } {
  const before = held()
  const store = new MemoryStore({ maxEntries: ENTRIES, maxBytes: 2 ** 31, now: () => 1.8e12 })
  const times = { bornAt: 0, freshUntil: 1.9e12 + 0.5, usableUntil: 1.9e12 + 0.5 }
  for (let i = 0; i < ENTRIES; i++) store.put(keyOf(i), responseOf(i, tagged), times)
  const stored = held() - before
  for (let i = 0; i < ENTRIES; i++) {
    const entry = store.get(keyOf(i))!.entries[0]!
    store.touch(entry)
    entry.head = headOf(entry.stored.fields, i)
  }
  const served = held() - before
  const counted = store.stats().bytes
  store.close()
  const overhead = (bytes: number): number => bytes / ENTRIES - 1024
  return { stored: overhead(stored), served: overhead(served), counted: overhead(counted) }
}

function reportStore(name: string, tagged: boolean): void {
  const { stored, served, counted } = measure(tagged)
  report(`${name}: overhead, V8`, stored)
  report(`${name}: overhead with the head kept, V8`, served)
  report(`${name}: overhead with the head kept, counted`, counted)
}

/** The alternatives for the fields alone: as they come, shared, and joined. */
function measureFields(name: string, make: (fields: string[]) => unknown): void {
  const before = held()
  const kept: unknown[] = []
  for (let i = 0; i < ENTRIES; i++) kept.push(make(fieldsOf(i)))
  report(`fields alone, ${name}`, (held() - before) / ENTRIES)
  kept.length = 0
}

function reportAll(): void {
  const seen = new Map<string, string>()
  const shared = (text: string): string => seen.get(text) ?? (seen.set(text, text), text)
  measureFields('as they come', (fields) => fields)
  measureFields('repeated strings shared', (fields) => fields.map(shared))
  seen.clear()
  measureFields('one joined string', (fields) => fresh(fields.join('\n')))
  reportStore('untagged', false)
  reportStore('one shared tag, one of its own', true)
}

if (values.json === true) process.stdout.write(JSON.stringify(measure(false)))
else reportAll()

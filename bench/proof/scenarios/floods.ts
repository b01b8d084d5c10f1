import { setTimeout as delay } from 'node:timers/promises'
import { FLAG, FRAME, frame, frameOf32 } from '../../load/frames.ts'
import { literalBlock, repeatedBlock } from '../../load/hpack.ts'
import { http1Client, Http2Client } from '../clients.ts'
import { Gateway } from '../gateway.ts'
import { BODY_BYTES, Origin } from '../origin.ts'
import { busyFor, Paced } from '../paced.ts'
import { type Figure, type Findings, figure, none, type Proof } from '../proof.ts'
import { RawHttp2, requestHead } from '../raw-http2.ts'

const MIB = 2 ** 20
const FLOOD_MS = 2_000
/** Frames that go out in one write. */
const BATCH = 200
const CONNECTIONS = 4
const STREAMS = 100
/** Bytes that one flood sends at most: what the sender can do is not what is measured. */
const MOST_BYTES = 32 * MIB
const PER_SECOND = 50

/** Frames that keep coming: a beginning, and what is repeated. */
interface Flood {
  name: string
  first: () => Buffer[]
  /** @param count of the frames before it */
  next: (count: number) => Buffer
  /** Sent once and left open. */
  once?: boolean
}

const weight = Buffer.from([0, 0, 0, 0, 15])
const largeValue = 'x'.repeat(3_000)

const FLOODS: readonly Flood[] = [
  { name: 'SETTINGS', first: () => [], next: () => frame(FRAME.settings, 0, 0) },
  { name: 'PING', first: () => [], next: () => frame(FRAME.ping, 0, 0, Buffer.alloc(8)) },
  { name: 'PRIORITY', first: () => [], next: (count) => frame(FRAME.priority, 0, (count % 5_000) * 2 + 1, weight) },
  { name: 'empty DATA', first: () => [requestHead(1, 'POST', false)], next: () => frame(FRAME.data, 0, 1) },
  {
    name: 'CONTINUATION',
    first: () => [frame(FRAME.headers, FLAG.endStream, 1, literalBlock([[':method', 'GET']]))],
    next: (count) => frame(FRAME.continuation, 0, 1, literalBlock([[`x-${count}`, 'y'.repeat(50)]])),
  },
  {
    name: 'HPACK references',
    first: () => [],
    // Each says 3 MiB of fields in 4 KiB.
    next: (count) =>
      frame(
        FRAME.headers,
        FLAG.endHeaders | FLAG.endStream,
        count * 2 + 1,
        repeatedBlock(['x-large', largeValue], 1_000),
      ),
  },
  {
    name: 'open POSTs',
    first: () => Array.from({ length: STREAMS }, (_, index) => requestHead(index * 2 + 1, 'POST', false)),
    next: () => frame(FRAME.data, 0, 1),
    once: true,
  },
  { name: 'window updates', first: () => [requestHead(1)], next: () => frameOf32(FRAME.windowUpdate, 0, 1) },
]

/** @returns how many of its connections were ended by the gateway */
async function pour(port: number, flood: Flood): Promise<number> {
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => RawHttp2.open(port)))
  const until = performance.now() + FLOOD_MS
  const one = async (connection: RawHttp2): Promise<void> => {
    await connection.send(...flood.first())
    let bytes = 0
    for (let count = 0; flood.once !== true && !connection.over && performance.now() < until; count += BATCH) {
      const batch = Buffer.concat(Array.from({ length: BATCH }, (_, index) => flood.next(count + index)))
      bytes += batch.length
      if (bytes > MOST_BYTES / CONNECTIONS) break
      await connection.send(batch)
    }
  }
  await Promise.race([Promise.all(connections.map(one)), delay(FLOOD_MS + 500)])
  await delay(Math.max(200, until - performance.now()))
  const ended = connections.filter(({ over }) => over).length
  for (const connection of connections) connection.close()
  return ended
}

async function run(): Promise<Findings> {
  await using origin = await Origin.start()
  await using gateway = await Gateway.start({
    upstreams: { origin: { targets: [origin.url] } },
    routes: { '/*': { to: 'origin' } },
  })
  const clients = [http1Client(gateway.port, 64), new Http2Client(gateway.port, 1)]
  const ask = (client: (typeof clients)[number]) => () => client.ask('/', { status: 200, bodyBytes: BODY_BYTES })
  // The heap takes the size first that it has in service: what it grows by afterwards is the floods' doing.
  for (const client of clients) await busyFor(4_000, 64, ask(client))
  const probes = clients.map((client) => new Paced(PER_SECOND, ask(client)))
  const atFirst = await gateway.settledMemoryBytes()
  // The most that it has held so far: a flood behind which the heap has shrunk is no credit to the next.
  let before = atFirst
  const figures: Figure[] = []
  for (const flood of FLOODS) {
    const cpuBefore = gateway.cpuMicros()
    const ended = await pour(gateway.port, flood)
    const cpu = (gateway.cpuMicros() - cpuBefore) / 1000
    const after = await gateway.settledMemoryBytes()
    figures.push(
      figure(`${flood.name}: growth`, (after - before) / MIB, 'MiB', { atMost: 16 }),
      figure(`${flood.name}: connections ended, of ${CONNECTIONS}`, ended),
      figure(`${flood.name}: CPU time, healthy requests included`, cpu, 'ms'),
    )
    before = Math.max(before, after)
  }
  const results = await Promise.all(probes.map((probe) => probe.end()))
  for (const client of clients) client.close()
  for (const fault of results.flatMap(({ faults }) => Object.keys(faults))) console.log(`    ${fault}`)
  return {
    figures: [
      none(
        'probes failed',
        results.reduce((sum, { failed }) => sum + failed, 0),
      ),
      figure(
        'probes',
        results.reduce((sum, { sent }) => sum + sent, 0),
      ),
      figure('probes: p99', Math.max(...results.map(({ p99Ms }) => p99Ms)), 'ms'),
      figure("growth in all, the healthy requests' too", (before - atFirst) / MIB, 'MiB'),
      ...figures,
    ],
  }
}

export const floods: Proof = {
  name: 'floods',
  title: `Floods of HTTP/2 frames, ${CONNECTIONS} connections each`,
  limitMs: 120_000,
  run,
}

import { setTimeout as delay } from 'node:timers/promises'
import { http1Client, Http2Client, type Client } from '../clients.ts'
import { Gateway } from '../gateway.ts'
import { BODY_BYTES, Origin, STREAM_BYTES } from '../origin.ts'
import { Paced, type PacedResult } from '../paced.ts'
import { type Figure, type Findings, figure, none, type Proof } from '../proof.ts'

const RELOADS = 20
const RESTARTS = 10
/** Over each of the two protocols. */
const PER_SECOND = 150
/** Streams that are open at any time, over each of the two protocols: each lasts one and a half seconds. */
const STREAMS = 4
const CONNECTIONS = 20
const SESSIONS = 2
const ANSWER = { status: 200, bodyBytes: BODY_BYTES }
const STREAM = { status: 200, bodyBytes: STREAM_BYTES }

/** What is different in each: a timeout that nobody gets to feel, so that no reload finds nothing to do. */
function configuration(origin: Origin, processes: number, turn: number): object {
  return {
    processes,
    drainTimeout: '20s',
    upstreams: { origin: { targets: [origin.url], timeout: { total: `${60 + (turn % 2)}s` } } },
    routes: { '/*': { to: 'origin' } },
  }
}

/** Keeps streams open until it is ended. @returns what went wrong */
function keepStreaming(client: Client): { opened(): number; end(): Promise<string[]> } {
  const faults: string[] = []
  let opened = 0
  let ending = false
  const loop = async (index: number): Promise<void> => {
    // Not all at once: some begin while others end.
    await delay((index * 1_500) / STREAMS)
    while (!ending) {
      opened++
      const fault = await client.ask('/stream', STREAM)
      if (fault !== null) faults.push(fault)
    }
  }
  const loops = Array.from({ length: STREAMS }, (_, index) => loop(index))
  return {
    opened: () => opened,
    async end() {
      ending = true
      await Promise.all(loops)
      return faults
    },
  }
}

/** Does something to a gateway under load. @returns what the load came to */
async function under(gateway: Gateway, act: () => Promise<void>): Promise<Figure[]> {
  const http1 = http1Client(gateway.port, CONNECTIONS)
  const http2 = new Http2Client(gateway.port, SESSIONS)
  const streamed = [http1Client(gateway.port, STREAMS), new Http2Client(gateway.port, 1)]
  const loads = [http1, http2].map((client) => new Paced(PER_SECOND, () => client.ask('/', ANSWER)))
  const streams = streamed.map(keepStreaming)
  await delay(500)
  await act()
  await delay(500)
  const [over1, over2] = (await Promise.all(loads.map((load) => load.end()))) as [PacedResult, PacedResult]
  const broken = (await Promise.all(streams.map((each) => each.end()))).flat()
  const opened = streams.reduce((sum, each) => sum + each.opened(), 0)
  for (const client of [http1, http2, ...streamed]) client.close()
  for (const fault of new Set([...Object.keys(over1.faults), ...Object.keys(over2.faults), ...broken])) {
    console.log(`    ${fault}`)
  }
  return [
    figure('requests sent', over1.sent + over2.sent),
    none('failed over HTTP/1.1', over1.failed),
    none('failed over HTTP/2', over2.failed),
    figure('streams opened', opened),
    none('streams broken', broken.length),
    figure('HTTP/2 sessions told to go away', http2.replaced),
    figure('streams not begun, sent again over another', http2.refused),
    figure('p99 over HTTP/1.1', over1.p99Ms, 'ms'),
    figure('p99 over HTTP/2', over2.p99Ms, 'ms'),
  ]
}

async function reload(gateway: Gateway, origin: Origin, processes: number): Promise<void> {
  for (let turn = 1; turn <= RELOADS; turn++) {
    gateway.write(configuration(origin, processes, turn))
    const { outcome } = await gateway.admin('POST', '/config/reload')
    if (outcome !== 'reloaded') throw new Error(`The reload came to: ${String(outcome)}`)
  }
}

async function restart(gateway: Gateway): Promise<void> {
  for (let turn = 1; turn <= RESTARTS; turn++) {
    await gateway.admin('POST', '/restart')
    let report = await gateway.admin('GET', '/config')
    for (; report.operation !== null; report = await gateway.admin('GET', '/config')) await delay(100)
    if (report.lastFailure !== null) throw new Error(`The restart broke off: ${JSON.stringify(report.lastFailure)}`)
  }
}

async function proven(processes: number, act: (gateway: Gateway, origin: Origin) => Promise<void>): Promise<Findings> {
  await using origin = await Origin.start()
  await using gateway = await Gateway.start(configuration(origin, processes, 0))
  const before = gateway.pids
  const figures = await under(gateway, () => act(gateway, origin))
  const isOther = processes === 1 || !gateway.pids.some((pid) => before.includes(pid))
  return { figures: [...figures, figure('processes replaced', isOther ? processes : 0, '', { atLeast: processes })] }
}

export const reloads: Proof = {
  name: 'reloads',
  title: `${RELOADS} reloads of two processes at 300 requests/s, with streams open`,
  limitMs: 300_000,
  run: () => proven(2, (gateway, origin) => reload(gateway, origin, 2)),
}

export const restarts: Proof = {
  name: 'restarts',
  title: `${RESTARTS} rolling restarts of two processes at 300 requests/s, with streams open`,
  limitMs: 400_000,
  run: () => proven(2, restart),
}

export const reloadsInPlace: Proof = {
  name: 'reloads-in-place',
  title: `${RELOADS} reloads of one process at 300 requests/s, with streams open`,
  limitMs: 120_000,
  run: () => proven(1, (gateway, origin) => reload(gateway, origin, 1)),
}

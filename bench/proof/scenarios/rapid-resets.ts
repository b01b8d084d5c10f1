import { setTimeout as delay } from 'node:timers/promises'
import { FRAME, frameOf32 } from '../../load/frames.ts'
import { median } from '../../statistics.ts'
import { http1Client, Http2Client } from '../clients.ts'
import { Gateway } from '../gateway.ts'
import { BODY_BYTES, Origin } from '../origin.ts'
import { busyFor, Paced, pacedFor } from '../paced.ts'
import { type Findings, figure, none, type Proof } from '../proof.ts'
import { RawHttp2, requestHead } from '../raw-http2.ts'

const RESETS = 2_000
const CANCEL = 8
const ATTACKS = 5
const PER_SECOND = 100
/** What the healthy requests cost is counted apart, over so long. */
const AROUND_MS = 1_500
/** The gateway may take this long to answer with GOAWAY. */
const ANSWER_MS = 5_000

/** @returns whether the gateway has told the connection to go away */
async function resetAtOnce(port: number): Promise<boolean> {
  const attacker = await RawHttp2.open(port)
  const frames = Array.from({ length: RESETS }, (_, index) => {
    const stream = index * 2 + 1
    return Buffer.concat([requestHead(stream), frameOf32(FRAME.resetStream, stream, CANCEL)])
  })
  await attacker.send(...frames)
  for (const end = performance.now() + ANSWER_MS; !attacker.over && performance.now() < end; ) await delay(5)
  attacker.close()
  return attacker.goAway !== null
}

async function run(): Promise<Findings> {
  await using origin = await Origin.start()
  await using gateway = await Gateway.start({
    upstreams: { origin: { targets: [origin.url] } },
    routes: { '/*': { to: 'origin' } },
  })
  const client = http1Client(gateway.port, 20)
  const ask = (): Promise<string | null> => client.ask('/', { status: 200, bodyBytes: BODY_BYTES })
  // As it is in service, and not as it starts: its code has been compiled.
  const http2 = new Http2Client(gateway.port, 1)
  await busyFor(2_000, 20, () => http2.ask('/', { status: 200, bodyBytes: BODY_BYTES }))
  http2.close()
  await pacedFor(3_000, PER_SECOND, ask)
  const without = await pacedFor(3_000, PER_SECOND, ask)
  const probe = new Paced(PER_SECOND, ask)
  // Several, for a garbage collection falls into one or the other.
  const spent: number[] = []
  let goAways = 0
  for (let attack = 0; attack < ATTACKS; attack++) {
    const usualFrom = gateway.cpuMicros()
    await delay(AROUND_MS)
    const usual = gateway.cpuMicros() - usualFrom
    const from = gateway.cpuMicros()
    const until = performance.now() + AROUND_MS
    if (await resetAtOnce(gateway.port)) goAways++
    await delay(Math.max(0, until - performance.now()))
    spent.push(Math.max(0, gateway.cpuMicros() - from - usual) / 1000)
  }
  const result = await probe.end()
  client.close()
  return {
    figures: [
      figure(`GOAWAY, in ${ATTACKS} attacks`, goAways, '', { atLeast: ATTACKS }),
      figure('CPU time, beyond that of the healthy requests', median(spent), 'ms', { atMost: 100 }),
      none('healthy requests failed', result.failed),
      figure('healthy p99', result.p99Ms, 'ms', { atMost: 100 }),
      figure('healthy p99 before', without.p99Ms, 'ms'),
    ],
  }
}

export const rapidResets: Proof = {
  name: 'rapid-resets',
  title: `${RESETS.toLocaleString('en-US')} streams opened and reset at once on one connection`,
  limitMs: 60_000,
  run,
}

import { spawnSync } from 'node:child_process'
import { Processes } from '../../processes.ts'
import type { PacedResult } from '../paced.ts'
import { Gateway } from '../gateway.ts'
import { http1Client } from '../clients.ts'
import { BODY_BYTES, Origin } from '../origin.ts'
import { pacedFor } from '../paced.ts'
import { type Findings, figure, none, type Proof } from '../proof.ts'

const CONNECTIONS = 10_000
const PER_SECOND = 500
const KIB = 1024
/** Beyond the connections: files, the upstream's connections, the process's own. */
const SPARE_FILES = 500
const TIMEOUT_MS = 120_000

/** Node raises the soft limit to this by itself. */
function mostFiles(): number {
  const { stdout } = spawnSync('sh', ['-c', 'ulimit -H -n'], { encoding: 'utf8' })
  return stdout.trim() === 'unlimited' ? Number.POSITIVE_INFINITY : Number(stdout)
}

async function run(): Promise<Findings> {
  const files = mostFiles()
  if (files < CONNECTIONS + SPARE_FILES) {
    return { skipped: `a process may have ${files} files open here: raise the limit (ulimit -H -n ${CONNECTIONS * 2})` }
  }
  await using origin = await Origin.start()
  await using gateway = await Gateway.start({
    limits: { connections: CONNECTIONS * 2 },
    upstreams: { origin: { targets: [origin.url] } },
    routes: { '/*': { to: 'origin' } },
  })
  await using processes = new Processes()
  const warm = http1Client(gateway.port, 20)
  await pacedFor(5_000, PER_SECOND, () => warm.ask('/', { status: 200, bodyBytes: BODY_BYTES }))
  warm.close()
  const before = await gateway.settledMemoryBytes()
  const holder = await processes.start('the connections', 'proof/held.ts', [String(gateway.port)], null)
  const opened = await holder.ask<{ opened: number }>({ type: 'open', connections: CONNECTIONS }, TIMEOUT_MS)
  const perConnection = ((await gateway.settledMemoryBytes()) - before) / CONNECTIONS
  const result = await holder.ask<PacedResult>({ type: 'load', perSecond: PER_SECOND, forMs: 20_000 }, TIMEOUT_MS)
  const after = ((await gateway.settledMemoryBytes()) - before) / CONNECTIONS
  return {
    figures: [
      figure('connections held', opened.opened, '', { atLeast: CONNECTIONS }),
      figure('memory a connection, each after one request', perConnection / KIB, 'KiB', { atMost: 12 }),
      figure('memory a connection, after the load', after / KIB, 'KiB'),
      figure('requests', result.sent),
      none('failed', result.failed),
      figure('p95', result.p95Ms, 'ms', { atMost: 10 }),
      figure('p99', result.p99Ms, 'ms'),
    ],
  }
}

export const heldConnections: Proof = {
  name: 'held-connections',
  title: `${CONNECTIONS.toLocaleString('en-US')} connections held, ${PER_SECOND} requests/s over them`,
  limitMs: 180_000,
  run,
}

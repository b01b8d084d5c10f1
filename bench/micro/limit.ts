/** What a decision costs that is made in this process, and what a route's gate costs with it: `node bench/micro/limit.ts`. */
import { Exchange } from '../../services/downstream/exchange.ts'
import { Peer } from '../../services/downstream/peer.ts'
import { readRequestFields } from '../../services/http/request-fields.ts'
import { SteadyClock } from '../../services/limit/clock.ts'
import { emptyDecision } from '../../services/limit/decision.ts'
import { paceOf } from '../../services/limit/gcra.ts'
import { Limits } from '../../services/limit/limits.ts'
import { LimitStore } from '../../services/limit/limit-store.ts'
import { LocalLimiter } from '../../services/limit/local-limiter.ts'
import { resolveLimit } from '../../services/limit/options.ts'

const OPERATIONS = 2 ** 21
/** Keys that are made at a time: a request's has just come off its socket, and is near. */
const BATCH = 512
/** A step that meets all keys, none of them next to the last. */
const STEP = 7_919

const addressOf = (i: number): string => Buffer.from(`10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`).toString()

for (const keys of [1, 1_000, 1_000_000]) {
  const limiter = new LocalLimiter({
    // Nobody gets anything back while this runs: the table has to hold every key.
    pace: paceOf({ count: 1, windowMs: 3_600_000 }, 1_000_000_000),
    clock: new SteadyClock(),
    maxKeys: 1_000_000,
  })
  const decision = emptyDecision()
  const batch: string[] = Array.from({ length: BATCH }, () => '')
  const spent: number[] = []
  for (let i = 0, at = 0; i < OPERATIONS; i += BATCH) {
    for (let j = 0; j < BATCH; j++, at = (at + STEP) % keys) batch[j] = addressOf(at)
    // CPU time: others may be busy on the machine.
    const before = process.threadCpuUsage()
    for (let j = 0; j < BATCH; j++) limiter.take(batch[j] as string, 1, decision)
    const { user, system } = process.threadCpuUsage(before)
    spent.push(((user + system) * 1e3) / BATCH)
  }
  // The second half: every key has been there.
  const known = spent.slice(spent.length / 2)
  const mean = known.reduce((sum, ns) => sum + ns, 0) / known.length
  const memory = keys === 1 ? '' : `, ${(limiter.bytes / keys).toFixed(0)} bytes a key`
  process.stdout.write(
    `${keys.toLocaleString('en').padStart(9)} keys  ${mean.toFixed(0).padStart(5)} ns a decision${memory}, ${limiter.keys().toLocaleString('en')} told apart\n`,
  )
}

/** The gate of a route with one limit by address, and what its client is told of it. */
function gate(): void {
  const store = new LimitStore(null)
  const options = resolveLimit({
    max: 1_000_000_000,
    timeWindow: '1m',
    by: 'ip',
    cost: 1,
    mode: 'leased',
    dryRun: false,
    allowList: [],
    ipv6Subnet: 64,
    headers: 'draft',
    maxKeys: 1_000_000,
  })
  const limits = new Limits({ rateLimit: { clients: options }, tiers: [] }, store)
  const made = limits.makers.map((make) =>
    make({ key: '/*', rateLimit: [{ limit: 'clients', cost: null }], access: null }),
  )
  const [one] = made
  const peer = new Peer({ remoteAddress: '127.0.0.1' }, { includes: () => false } as never)
  const fields = readRequestFields(['host', 'a.test'])
  const exchanges = Array.from({ length: BATCH }, (_, i) => {
    const exchange = new Exchange({ protocol: '1.1', method: 'GET', target: '/', fields, body: null, peer })
    exchange.clientAddress = addressOf(i)
    return exchange
  })
  const spent: number[] = []
  for (let i = 0; i < 1_000; i++) {
    // No reply but one that takes what it is given: the gate's own work.
    for (const exchange of exchanges) exchange.reply = {} as never
    const before = process.threadCpuUsage()
    for (const exchange of exchanges) void one?.check(exchange)
    const { user, system } = process.threadCpuUsage(before)
    spent.push(((user + system) * 1e3) / BATCH)
  }
  const known = spent.slice(spent.length / 2)
  const mean = known.reduce((sum, ns) => sum + ns, 0) / known.length
  process.stdout.write(`the gate of a route, with its two fields: ${mean.toFixed(0)} ns\n`)
}

gate()

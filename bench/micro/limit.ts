/** What a decision costs that is made in this process: `node bench/micro/limit.ts`. */
import { SteadyClock } from '../../services/limit/clock.ts'
import { emptyDecision } from '../../services/limit/decision.ts'
import { paceOf } from '../../services/limit/gcra.ts'
import { LocalLimiter } from '../../services/limit/local-limiter.ts'

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

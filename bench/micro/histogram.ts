/**
 * What counting costs on the hot path: `node bench/micro/histogram.ts`.
 * Prints ns an operation (median of seven rounds) and the heap growth, which must stay near nothing.
 */
import { createHistogram } from 'node:perf_hooks'
import { Histogram } from '../../services/monitor/histogram.ts'
import { Traffic } from '../../services/monitor/traffic.ts'

const OPERATIONS = 5_000_000
const ROUNDS = 7
const durations = Float64Array.from({ length: 4096 }, (_, i) => 0.05 * 1.003 ** i)

function measure(name: string, operation: (ms: number) => void): void {
  const rounds: number[] = []
  const heapBefore = process.memoryUsage().heapUsed
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint()
    for (let i = 0; i < OPERATIONS; i++) operation(durations[i & 4095]!)
    rounds.push(Number(process.hrtime.bigint() - start) / OPERATIONS)
  }
  const grownKiB = (process.memoryUsage().heapUsed - heapBefore) / 1024
  const median = rounds.sort((a, b) => a - b)[ROUNDS >> 1]!
  process.stdout.write(`${name.padEnd(38)} ${median.toFixed(1).padStart(7)} ns   heap ${grownKiB.toFixed(0)} KiB\n`)
}

const histogram = new Histogram()
measure('Histogram.record', (ms) => histogram.record(ms))

const route = new Traffic().route('/api/*')
measure('RouteTraffic.record', (ms) => route.record('GET', 200, ms))

const native = createHistogram()
measure('perf_hooks createHistogram().record', (ms) => native.record(Math.max(1, Math.round(ms * 1000))))

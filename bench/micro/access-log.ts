/** What a line of the access log costs: put together by hand, and through pino's `info` (the same fields). */
import { accessLog } from '../../services/log/access-log.ts'
import { createLog } from '../../services/log/logger.ts'
import type { LogOptions } from '../../services/log/options.ts'

const options: LogOptions = { level: 'info', format: 'json', requests: true, sample: 1, redact: [] }
const output = createLog(options)
const exchange = {
  status: 200,
  query: '?limit=3',
  requestId: 'mJ2B4S6a-1',
  clientAddress: '127.0.0.1',
  protocol: '1.1',
  method: 'GET',
  authority: '127.0.0.1:8080',
  path: '/api/vehicles',
  arrivedAt: performance.now(),
  plan: { key: '/api/*' },
  upstreamMs: 1.23,
  outcome: 'response',
  code: '',
}
const written = accessLog(output, options)
const ways = {
  'by hand': () => written(exchange as never),
  'log.info': () => {
    const { requestId, clientAddress: client, protocol, method, authority: host, path, status } = exchange
    output.log.info(
      { requestId, client, protocol, method, host, path, status, durationMs: 1.2, route: '/api/*', upstreamMs: 1.2 },
      'request',
    )
  },
}
const LINES = 100_000
for (let round = 0; round < 4; round++) {
  for (const [name, way] of Object.entries(ways)) {
    const before = process.cpuUsage()
    for (let i = 0; i < LINES; i++) {
      way()
      if (i % 64 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    const { user, system } = process.cpuUsage(before)
    if (round > 0) console.error(`${name}: ${((user + system) / LINES).toFixed(2)} µs of CPU a line`)
  }
}

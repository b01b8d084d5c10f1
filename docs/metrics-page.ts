import { accessMetrics } from '../services/monitor/access-metrics.ts'
import { cacheMetrics } from '../services/monitor/cache-metrics.ts'
import { cacheTierMetrics } from '../services/monitor/cache-tier-metrics.ts'
import type { MetricDefinition, MetricSource } from '../services/monitor/families.ts'
import { InternalErrors } from '../services/monitor/internal-errors.ts'
import { configurationMetrics } from '../services/monitor/configuration-metrics.ts'
import { listenerMetrics } from '../services/monitor/listener-metrics.ts'
import { processMetrics } from '../services/monitor/process-metrics.ts'
import { limitMetrics } from '../services/monitor/limit-metrics.ts'
import { maintenanceMetrics } from '../services/monitor/maintenance-metrics.ts'
import { validationMetrics } from '../services/monitor/validation-metrics.ts'
import { mirrorMetrics } from '../services/monitor/mirror-metrics.ts'
import { pressureMetrics } from '../services/monitor/pressure-metrics.ts'
import { splitMetrics } from '../services/monitor/split-metrics.ts'
import { tokenMetrics } from '../services/monitor/token-metrics.ts'
import { trafficMetrics } from '../services/monitor/traffic-metrics.ts'
import { webSocketMetrics } from '../services/monitor/websocket-metrics.ts'
import { workerMetrics } from '../services/monitor/worker-metrics.ts'
import { upstreamMetrics } from '../services/monitor/upstream-metrics.ts'

const CHAPTERS: [title: string, source: MetricSource][] = [
  ['Requests', trafficMetrics({ snapshot: () => [] })],
  ['Splits', splitMetrics({ snapshot: () => [] })],
  ['Mirrors', mirrorMetrics({ snapshot: () => [] })],
  ['Tokens and logins', tokenMetrics(null)],
  ['Rate limits', limitMetrics(() => ({ limits: [], shared: null }))],
  ['Validation', validationMetrics({ routes: () => new Map(), disagreements: () => [] })],
  ['Access', accessMetrics(() => ({ allowed: [], denied: [] }))],
  ['Maintenance', maintenanceMetrics(() => ({ gateway: false, routes: [], known: [] }))],
  ['Load shedding', pressureMetrics(() => null)],
  ['The gateway itself', new InternalErrors({ error: () => undefined })],
  ['Cache', cacheMetrics(null, [])],
  ['The second tier of the cache', cacheTierMetrics(() => null)],
  ['WebSocket', webSocketMetrics(null)],
  ['Worker threads', workerMetrics(null)],
  ['Upstreams', upstreamMetrics({ snapshot: () => [] })],
  ['Listeners and HTTP/2', listenerMetrics(() => [])],
  ['Processes', processMetrics('')],
  [
    'Configuration',
    configurationMetrics(() => ({ version: 1, loadedAt: 0, reloads: { succeeded: 0, failed: 0 }, lastFailure: null })),
  ],
]

const INTRODUCTION = `# Metrics

\`GET /metrics\` on the admin listener answers in Prometheus' text format, \`GET /performance/metrics\` the same as JSON
(\`?name=headrace_upstream\` for a beginning, \`?name=headrace_*_seconds\` for a pattern). Both want the admin token:

\`\`\`yaml
scrape_configs:
  - job_name: headrace
    authorization: { credentials_file: .headrace/admin-token }
    static_configs: [{ targets: ['127.0.0.1:9090'] }]
\`\`\`

With \`processes: n\` every process is asked and the answers are added up. What a process had counted at the last scrape stays
counted when it is gone, and one that does not answer in time counts with what it said last: counters never fall.
\`headrace_processes\` says how many answered. \`metrics: false\` removes both routes.

Durations are exact to 3.2 %: they are counted in 1/16 octaves, so a bucket's bound may be off by that much.

This page is generated from the code (\`npm run docs\`).
`

const REST = `## The gateway's own pages

| metric | type | labels | meaning |
|---|---|---|---|
| \`headrace_page_duration_seconds\` | histogram | \`route\`, \`method\`, \`status\` | Requests to the gateway's own routes (/health, /docs …) and how long they took, by fastify-metrics |

## Node

The default metrics of \`@prometheus-io/client\`: \`process_cpu_*\`, \`process_resident_memory_bytes\`, \`process_open_fds\`,
\`nodejs_eventloop_lag_*\`, \`nodejs_heap_*\`, \`nodejs_gc_duration_seconds\` and their kin. Of several processes, sizes and counts are
added up, event-loop lags averaged (their minimum and maximum taken), and \`process_start_time_seconds\` is left out.
`

/** docs/metrics.md: every metric with its type, labels and meaning, from the definitions that the gateway runs with. */
export function metricsPage(): string {
  const chapters = CHAPTERS.map(
    ([title, { definitions }]) =>
      `## ${title}\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n${definitions.map(row).join('\n')}\n`,
  )
  return [INTRODUCTION, ...chapters, REST].join('\n')
}

function row({ name, type, labels, help }: MetricDefinition): string {
  const names = labels.map((label) => `\`${label}\``).join(', ')
  return `| \`${name}\` | ${type} | ${names} | ${help.replaceAll('|', String.raw`\|`)} |`
}

import { join } from 'node:path'
import { test } from 'tap'
import { formatStatus, type GatewayState } from '../../cli/status-text.ts'
import { reportPool } from '../../services/monitor/pools.ts'
import { targetSnapshot } from '../target-snapshot.ts'
import { headrace, type Outcome } from './command-line.ts'
import { httpServer, runningGateway } from './running.ts'

/** On a busy machine the loop of this very process is late at times, and the gateway degraded. */
async function statusInCalm(cwd: string, ...args: string[]): Promise<Outcome> {
  let outcome: Outcome
  do outcome = await headrace(cwd, ['status', ...args])
  while (/ is \d+ ms late/.test(outcome.out))
  return outcome
}

void test('status shows a healthy gateway, its process and its targets, and ends with 0', async (t) => {
  const origin = await httpServer(t, (_request, response) => response.end('hello'))
  const { cwd, adminUrl, publicUrl } = await runningGateway(t, {
    upstreams: { fleet: { targets: [origin] } },
    routes: { '/*': { to: 'fleet' } },
  })
  t.equal(await (await fetch(`${publicUrl}/a`)).text(), 'hello')
  const { code, out, err } = await statusInCalm(cwd)
  t.equal(err, '')
  t.equal(code, 0)
  t.match(out, new RegExp(`^healthy {2}Headrace \\S+ at ${adminUrl}\n\nmemory {2}\\d+ MiB`))
  t.match(out, new RegExp(`\n +PROCESS +UP .*\n {2}${process.pid} `))
  t.match(out, /\n +UPSTREAM +TARGET +STATE +OPEN +RUNNING +QUEUED +SENT +ERRORS +P50 +P90 +P99\n/)
  t.match(out, new RegExp(`\n {2}fleet +${origin} +up +1/\\d+ +0 +0 +1 +0 +\\S+ ms +\\S+ ms +\\S+ ms\n$`))
  // oxlint-disable-next-line no-control-regex -- that there is none is the point
  t.notMatch(out, /\x1b/, 'no colours where it is no terminal')
})

void test('status --json prints what the gateway answers', async (t) => {
  const { cwd, adminUrl } = await runningGateway(t)
  const { code, out } = await statusInCalm(cwd, '--json')
  t.equal(code, 0)
  t.match(JSON.parse(out), {
    url: adminUrl,
    health: { status: 'healthy', processes: [{ pid: process.pid }] },
    config: { version: 1, source: join(cwd, 'headrace.config.yaml'), lastFailure: null },
    pools: [],
  })
  t.match(await statusInCalm(cwd), { code: 0, out: /\nno upstreams\n$/ })
})

void test('status of a gateway whose upstream is down says why, and ends with 1', async (t) => {
  const { cwd, publicUrl } = await runningGateway(t, {
    upstreams: { fleet: { targets: ['http://127.0.0.1:1'] } },
    routes: { '/*': { to: 'fleet' } },
  })
  t.equal((await fetch(`${publicUrl}/a`)).status, 502)
  const { code, out } = await headrace(cwd, ['status'])
  t.equal(code, 1)
  t.match(out, /^unhealthy .*\n {2}No target of upstream fleet accepts connections\n/)
  t.match(out, /\n {2}fleet +http:\/\/127\.0\.0\.1:1 +down +0\/\d+ +0 +\d+ +[1-9]\d* +[1-9]\d* +- +- +-\n/)
  t.match(out, /last errors\n {2}http:\/\/127\.0\.0\.1:1 {2}connect_error ECONNREFUSED \d{4}-/)
  t.match(await headrace(cwd, ['status', '--json']), { code: 1, out: /"status": "unhealthy"/ })
})

void test('columns stay in line whatever is in them, and colours take no room', async (t) => {
  const marked = formatStatus(STATE, (_style, text) => text)
  t.equal(
    marked,
    `degraded  Headrace 1.2.3 at http://127.0.0.1:9090
  1 of 2 targets of upstream fleet are down

memory  1.5 GiB of 2.0 GiB; heap 300 MiB, the fullest 12 % of its limit
config  3, loaded 2026-01-02T03:04:05.000Z from /srv/headrace.config.yaml
        the last reload failed, 2026-01-02T03:05:00.000Z: The configuration has 1 problem.

  PROCESS     UP   MEMORY     HEAP  LOOP DELAY   BUSY
  7        3d 4h  1.5 GiB  300 MiB      0.3 ms    7 %
  12345    1m 1s    1 MiB    0 MiB           -  100 %  draining

  UPSTREAM           TARGET              STATE   OPEN  RUNNING  QUEUED  SENT  ERRORS     P50    P90    P99
  fleet              http://10.0.0.5:80  up     3/100        2       6  1234       1  1.3 ms  88 ms  2.5 s
  search (optional)  unix:/run/s.sock    down    0/10        0       0     0       0       -      -      -

last errors
  http://10.0.0.5:80  reset ECONNRESET 2026-01-02T03:04:05.000Z
`,
  )
  const coloured = formatStatus(STATE, (_style, text) => `<${text}>`)
  t.equal(coloured.replaceAll(/[<>]/g, ''), marked)
  t.match(coloured, '<degraded>')
})

const OUTCOMES = { response: 1233, reset: 1 } as unknown as GatewayState['pools'][number]['outcomes']
const MIB = 1024 ** 2
const STATE: GatewayState = {
  url: 'http://127.0.0.1:9090',
  health: {
    status: 'degraded',
    reasons: ['1 of 2 targets of upstream fleet are down'],
    version: '1.2.3',
    upstreams: [],
    pools: { limit: 110, connected: 3, free: 1, running: 2, pending: 1, queued: 5 },
    system: { node: '26', platform: 'linux', cpus: 2, load: null, totalMemoryBytes: 0, freeMemoryBytes: 0 },
    memory: { heapUsedBytes: 300 * MIB, heapUsedRatio: 0.12, rssBytes: 1536 * MIB, limitBytes: 2048 * MIB },
    processes: [
      {
        pid: 7,
        uptimeSeconds: 3 * 86_400 + 4 * 3600 + 5,
        draining: false,
        memory: {
          heapUsedBytes: 300 * MIB,
          heapLimitBytes: 1,
          externalBytes: 0,
          rssBytes: 1535 * MIB,
          limitBytes: null,
        },
        eventLoop: { delayMs: 0.25, utilization: 0.07 },
      },
      {
        pid: 12345,
        uptimeSeconds: 61,
        draining: true,
        memory: { heapUsedBytes: 1, heapLimitBytes: 1, externalBytes: 0, rssBytes: MIB, limitBytes: null },
        eventLoop: { delayMs: null, utilization: 1 },
      },
    ],
    missing: [],
  },
  config: {
    version: 3,
    loadedAt: Date.UTC(2026, 0, 2, 3, 4, 5),
    source: '/srv/headrace.config.yaml',
    lastFailure: {
      at: Date.UTC(2026, 0, 2, 3, 5),
      trigger: 'watch',
      code: 'HR_RELOAD_INVALID',
      message: 'The configuration has 1 problem.',
      problems: [],
      changes: [],
    },
  },
  pools: [
    {
      ...reportPool(targetSnapshot()),
      upstream: 'fleet',
      target: 'http://10.0.0.5:80',
      required: true,
      state: 'up',
      connections: { limit: 100, connected: 3, free: 1, running: 2, pending: 1, queued: 5 },
      attempts: 1234,
      errors: 1,
      outcomes: OUTCOMES,
      lastError: { outcome: 'reset', code: 'ECONNRESET', at: Date.UTC(2026, 0, 2, 3, 4, 5) },
      latency: { response: { count: 1233, meanMs: 5, p50Ms: 1.26, p90Ms: 88.4, p99Ms: 2504, maxMs: 2600 } },
    },
    {
      ...reportPool(targetSnapshot()),
      upstream: 'search',
      target: 'unix:/run/s.sock',
      required: false,
      state: 'down',
      connections: { limit: 10, connected: 0, free: 0, running: 0, pending: 0, queued: 0 },
      attempts: 0,
      errors: 0,
      outcomes: OUTCOMES,
      lastError: null,
      latency: {},
    },
  ],
}

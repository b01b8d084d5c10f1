import type { ConfigReport } from '../services/configuration/report.ts'
import type { HealthReport, HealthStatus } from '../services/monitor/health.ts'
import type { PoolReport } from '../services/monitor/pools.ts'
import type { Paint } from './terminal.ts'

/** What a gateway has answered. */
export interface GatewayState {
  url: string
  health: HealthReport
  config: ConfigState
  pools: readonly PoolReport[]
}

/** The configuration in force. */
export type ConfigState = Pick<ConfigReport, 'version' | 'loadedAt' | 'source' | 'lastFailure'>

type Colour = Parameters<Paint>[0]

/** Text in a column; numbers stand at its right. */
interface Cell {
  text: string
  colour?: Colour
  right?: boolean
}

const VERDICTS = { healthy: 'green', degraded: 'yellow', unhealthy: 'red' } as const satisfies Record<
  HealthStatus,
  Colour
>
const STATES: Readonly<Record<PoolReport['state'], Colour>> = {
  up: 'green',
  down: 'red',
  unhealthy: 'red',
  ejected: 'yellow',
  open: 'red',
  draining: 'yellow',
  unknown: 'dim',
}

/** A gateway's state for people: the verdict and why, then memory, configuration, processes and upstream targets. */
export function formatStatus({ url, health, config, pools }: GatewayState, paint: Paint): string {
  const { status, reasons, version, memory, processes } = health
  const limit = memory.limitBytes === null ? '' : ` of ${size(memory.limitBytes)}`
  return [
    `${paint([VERDICTS[status], 'bold'], status)}  Headrace ${version} at ${paint('cyan', url)}`,
    ...reasons.map((reason) => `  ${paint(VERDICTS[status], reason)}`),
    '',
    `memory  ${size(memory.rssBytes)}${limit}; heap ${size(memory.heapUsedBytes)}, the fullest ${percent(memory.heapUsedRatio)} of its limit`,
    ...configuration(config, paint),
    '',
    ...table([['PROCESS', 'UP', 'MEMORY', 'HEAP', 'LOOP DELAY', 'BUSY', ''], ...processes.map(processRow)], paint),
    '',
    ...(pools.length === 0 ? ['no upstreams'] : targets(pools, paint)),
    '',
  ].join('\n')
}

function configuration({ version, loadedAt, source, lastFailure }: ConfigState, paint: Paint): string[] {
  const from = source === null ? '' : ` from ${source}`
  const inForce = `config  ${version}, loaded ${new Date(loadedAt).toISOString()}${from}`
  if (lastFailure === null) return [inForce]
  const failed = `the last reload failed, ${new Date(lastFailure.at).toISOString()}: ${lastFailure.message}`
  return [inForce, `        ${paint('red', failed)}`]
}

function processRow({ pid, uptimeSeconds, draining, memory, eventLoop }: HealthReport['processes'][number]): Cell[] {
  const { delayMs, utilization } = eventLoop
  return [
    { text: String(pid) },
    number(age(uptimeSeconds)),
    number(size(memory.rssBytes)),
    number(size(memory.heapUsedBytes)),
    number(delayMs === null ? '-' : milliseconds(delayMs)),
    number(percent(utilization)),
    { text: draining ? 'draining' : '', colour: 'yellow' },
  ]
}

/** The table of targets, with the latency of their responses, then the last error of each that had one. */
function targets(pools: readonly PoolReport[], paint: Paint): string[] {
  const head = ['UPSTREAM', 'TARGET', 'STATE', 'OPEN', 'RUNNING', 'QUEUED', 'SENT', 'ERRORS', 'P50', 'P90', 'P99']
  const failed = pools.flatMap(({ target, lastError }) => (lastError === null ? [] : { target, ...lastError }))
  return [
    ...table([head, ...pools.map(targetRow)], paint),
    ...(failed.length === 0 ? [] : ['', 'last errors']),
    ...failed.map(({ target, outcome, code, at }) => {
      return `  ${target}  ${paint('red', outcome)} ${code} ${paint('dim', new Date(at).toISOString())}`
    }),
  ]
}

function targetRow({ upstream, target, required, state, connections, attempts, errors, latency }: PoolReport): Cell[] {
  const { connected, limit, running, pending, queued } = connections
  const { response } = latency
  return [
    { text: required ? upstream : `${upstream} (optional)` },
    { text: target },
    { text: state, colour: STATES[state] },
    number(`${connected}/${limit}`),
    number(String(running)),
    { ...number(String(pending + queued)), ...(queued > 0 && { colour: 'yellow' }) },
    number(String(attempts)),
    { ...number(String(errors)), ...(errors > 0 && { colour: 'red' }) },
    ...[response?.p50Ms, response?.p90Ms, response?.p99Ms].map((ms) =>
      number(ms === undefined ? '-' : milliseconds(ms)),
    ),
  ]
}

const number = (text: string): Cell => ({ text, right: true })

/** Columns as wide as their widest cell; a heading stands as the cells below it do. */
function table([head, ...rows]: [head: string[], ...rows: Cell[][]], paint: Paint): string[] {
  const headings = head.map((text, column): Cell => ({ text, colour: 'dim', right: rows[0]?.[column]?.right ?? false }))
  const lines = [headings, ...rows]
  const widths = head.map((_text, column) => Math.max(...lines.map((cells) => cells[column]?.text.length ?? 0)))
  return lines.map((cells) => {
    const padded = cells.map(({ text, colour, right }, column) => {
      const room = ' '.repeat((widths[column] ?? 0) - text.length)
      const shown = colour === undefined || text === '' ? text : paint(colour, text)
      return right === true ? room + shown : shown + room
    })
    return `  ${padded.join('  ')}`.trimEnd()
  })
}

function size(bytes: number): string {
  const mebibytes = bytes / 1024 ** 2
  return mebibytes < 1024 ? `${Math.round(mebibytes)} MiB` : `${(mebibytes / 1024).toFixed(1)} GiB`
}

function milliseconds(ms: number): string {
  return ms < 1000 ? `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

/** The two largest units: `3d 4h`, `5m 12s`. */
function age(seconds: number): string {
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3_600) % 24,
    Math.floor(seconds / 60) % 60,
  ]
  if (days > 0) return `${days}d ${hours}h`
  if (hours > 0) return `${hours}h ${minutes}m`
  return minutes > 0 ? `${minutes}m ${seconds % 60}s` : `${seconds}s`
}
